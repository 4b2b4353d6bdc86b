// Package amazon loads the AWS SDK's configuration for those that speak to a service of Amazon's: the SDK's usual sources
// (environment, shared files, instance, endpoints from AWS_ENDPOINT_URL and its kin), and one thing more, that every refusal for
// too many requests is met with another try. Its one question of its own is who the job is ([Who]); each service's client has its home in
// another package.
//
//	cfg, err := amazon.Config(ctx, config.WithRegion("eu-west-1"))
//	client := ssm.NewFromConfig(cfg)
package amazon
