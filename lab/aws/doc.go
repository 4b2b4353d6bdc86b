// Package aws is a double of AWS Secrets Manager, SSM Parameter Store, KMS, ECR, EKS, STS, Route 53 and Elastic Load Balancing behind
// one endpoint.
//
// It exists because no AWS can run on one machine. Clients reach it with AWS_ENDPOINT_URL and the ordinary
// SDK. It answers BatchGetSecretValue, GetSecretValue, DescribeSecret, GetParameters and GetParameter in
// AWS's JSON 1.1 protocol, with versions and stages, and KMS's Sign, GetPublicKey and DescribeKey with real keys.
// Of ECR it has GetAuthorizationToken, DescribeRepositories and GetLifecyclePolicy, and with StartECR the registry itself.
// Of EKS it has DescribeCluster, and what stands before a cluster's API server: Authenticate takes the tokens that EKS takes.
// Of STS it has GetCallerIdentity.
//
// Of Route 53 it has GetHostedZone, ListResourceRecordSets, ChangeResourceRecordSets and GetChange, and with StartNameServer the
// name server that answers from the zones: by weight and health as Route 53 does, and with a change only when it is INSYNC.
// Of Elastic Load Balancing (version 2) it has DescribeLoadBalancers, DescribeTargetGroups and DescribeTargetHealth; which
// balancers there are is told by SetBalancers, in the lab from the cluster's Services (package balancers).
//
// It refuses what AWS refuses: a request without a valid Signature Version 4 for the right service, a key it
// does not know, names that the key's policy does not allow, more than 20 secrets or 10 parameters at once,
// what does not exist or was deleted, a KMS key that is disabled, an algorithm or a digest that does not suit it, a change batch of which one change is wrong, a zone
// whose last change is still PENDING (OneChange). Failures inside a batch come as AWS sends them, in `Errors` or
// `InvalidParameters` with HTTP status 200. An operation it does not have answers 501. No value is ever logged.
//
//	server, err := aws.Start(ctx, aws.Options{Listen: "127.0.0.1:0", AccessKey: "AKIALAB", SecretKey: "secret"})
//	server.PutSecret("prod/checkout", `{"password":"s3cret"}`)
//	server.PutParameter("/prod/checkout/limit", "10", aws.String)
//	server.CreateKMSKey("ECC_NIST_P256", "alias/evidence")
//	server.AddKey(aws.Key{AccessKey: "AKIAPROD", SecretKey: "other", Allow: []string{"prod/", "/prod/"}})
//	// AWS_ENDPOINT_URL=<server.URL()> AWS_ACCESS_KEY_ID=AKIAPROD …
package aws
