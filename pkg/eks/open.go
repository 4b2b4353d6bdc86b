package eks

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"

	"github.com/org/promote/pkg/amazon"
)

// credentialsEarly is how long before their end temporary credentials are got anew: a token must not die with them.
const credentialsEarly = 2 * time.Minute

// Config says which cluster.
type Config struct {
	// Name is the cluster's name in its account and region.
	Name string
	// Region is the cluster's; empty leaves the choice to the AWS configuration, such as AWS_REGION.
	Region string
	// Clock gives the time; nil is time.Now.
	Clock func() time.Time
}

// Cluster is an EKS cluster that serves. It makes the tokens for it, for several goroutines at once.
type Cluster struct {
	Name, Region string
	// Endpoint is the API server's address, https://….
	Endpoint string
	// CA is the certificate authority of the API server, in PEM.
	CA []byte
	// Reach says in words from where the endpoint can be reached, when that is not everywhere.
	Reach string

	// mapped says that the cluster knows no access entries, only its ConfigMap aws-auth.
	mapped bool
	clock  func() time.Time
	// load reads the AWS configuration anew: keys may have been rotated since.
	load func(context.Context) (aws.Config, error)

	// busy has room for one: who holds it may read and change what stands below.
	busy    chan struct{}
	aws     aws.Config
	current *token
}

// String is what is printed of a cluster in whatever form; without it a token could be.
func (c *Cluster) String() string { return fmt.Sprintf("EKS cluster %q in %s", c.Name, c.Region) }

// nameForm is what the API calls a cluster's name.
var nameForm = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z_-]{0,99}$`)

// CheckName says what is wrong with a cluster's name.
func CheckName(name string) error {
	if !nameForm.MatchString(name) {
		return fmt.Errorf("%q is not the name of an EKS cluster: up to 100 letters, digits, - and _, as `aws eks list-clusters` prints it (no ARN, no URL)", name)
	}
	return nil
}

// Open looks the cluster up with the SDK's usual configuration: credentials from its chain, endpoints from AWS_ENDPOINT_URL and
// its kin, three attempts a call. opts come after that.
func Open(ctx context.Context, cfg Config, opts ...func(*config.LoadOptions) error) (*Cluster, error) {
	if err := CheckName(cfg.Name); err != nil {
		return nil, err
	}
	all := []func(*config.LoadOptions) error{
		config.WithCredentialsCacheOptions(func(o *aws.CredentialsCacheOptions) { o.ExpiryWindow = credentialsEarly }),
	}
	if cfg.Region != "" {
		all = append(all, config.WithRegion(cfg.Region))
	}
	all = append(all, opts...)
	c := &Cluster{Name: cfg.Name, clock: cfg.Clock, busy: make(chan struct{}, 1)}
	if c.clock == nil {
		c.clock = time.Now
	}
	c.load = func(ctx context.Context) (aws.Config, error) {
		loaded, err := amazon.Config(ctx, all...)
		if err == nil && loaded.Region == "" {
			err = errors.New("no region is set")
		}
		if err != nil {
			return aws.Config{}, fmt.Errorf("loading the AWS configuration: %w", err)
		}
		return loaded, nil
	}
	var err error
	if c.aws, err = c.load(ctx); err != nil {
		return nil, err
	}
	c.Region = c.aws.Region
	return c, c.describe(ctx)
}
