// Package eks finds an Amazon EKS cluster by its name and makes the tokens that its API server takes: address and certificate
// authority from DescribeCluster, and as token a presigned request to STS that says who the caller is. Tokens live 15 minutes;
// a new one is made well before, from the credentials of that moment.
//
// It refuses a cluster that does not serve (one that is being made, deleted, or failed) and says for what it needs which IAM
// permission. It starts no program, writes no kubeconfig, and hands a token to nobody but its caller; no error holds one. It
// knows nothing of Kubernetes: pkg/cluster takes what is found here as a plain value.
//
//	found, err := eks.Open(ctx, eks.Config{Name: "prod", Region: "eu-west-1"})
//	c, err := cluster.Connect(cluster.Config{Namespace: "prod", Endpoint: &cluster.Endpoint{
//		URL: found.Endpoint, CA: found.CA, Reach: found.Reach, Identity: found,
//	}})
package eks
