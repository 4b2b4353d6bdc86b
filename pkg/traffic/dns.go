package traffic

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/route53"

	"github.com/org/promote/pkg/amazon"
)

const (
	// aliasTTL is the time to live of an alias record that targets a load balancer. It is the balancer's and can't be chosen:
	// https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resource-record-sets-choosing-alias-non-alias.html
	aliasTTL = time.Minute
	// dnsPoll is the pause between two looks. Route 53 takes five requests a second of a whole account.
	dnsPoll = 5 * time.Second
	// dnsTries is how often a request to Route 53 is sent. The SDK itself tries again after Throttling and PriorRequestNotComplete,
	// but three times in a few seconds; a rollback must outlast what other pipelines of the account do to the limit.
	dnsTries = 8
)

// DNSConfig names the record whose answers are shared.
type DNSConfig struct {
	// Zone is the id of the hosted zone, and Name a fully qualified name in it.
	Zone, Name string
	// ID begins the set identifiers of promote's records, for instance promote/checkout: /stable and /candidate follow.
	ID string
	// TTL is how long resolvers keep an answer; the minute of an alias to a load balancer when zero.
	TTL time.Duration
	// Poll is the pause between two looks at a change or at targets; five seconds when zero.
	Poll time.Duration
	// Log takes a line for every change and every news of a wait; nil drops them.
	Log func(line string)
}

// DNS shares the answers for one name between two load balancers, by the weights of two alias records: the stable one, of the
// balancer that is always there, and the candidate's, which exists during a rollout only. What it moves are answers of name
// servers, not requests: a client stays with an answer as long as its resolver keeps it, and with a connection for longer.
//
// The candidate's record asks Route 53 to evaluate its target's health, the stable one does not. So a candidate whose balancer
// is dead gets no answers any more, even between two looks of a rollout, and all go to the stable balancer, also when its
// weight is 0. The other way round nothing moves by itself: Route 53 takes records of weight 0 when all others are unhealthy
// (https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/health-checks-how-route-53-chooses-records.html), and a stable
// balancer that is evaluated could hand everything to a candidate that nobody has admitted, or that was just rolled back.
//
// Every method may be called again, by a run that follows one that was killed.
type DNS struct {
	cfg    DNSConfig
	region string
	zones  zones
	elb    balancers
}

// NewDNS loads the AWS configuration; an empty region leaves it to that. It asks nothing yet.
func NewDNS(ctx context.Context, region string, cfg DNSConfig, opts ...func(*awsconfig.LoadOptions) error) (*DNS, error) {
	cfg.Zone = strings.TrimPrefix(cfg.Zone, "/hostedzone/")
	cfg.Name = plain(cfg.Name)
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	if cfg.TTL == 0 {
		cfg.TTL = aliasTTL
	}
	if cfg.Poll == 0 {
		cfg.Poll = dnsPoll
	}
	if region != "" {
		opts = append([]func(*awsconfig.LoadOptions) error{awsconfig.WithRegion(region)}, opts...)
	}
	loaded, err := amazon.Config(ctx, opts...)
	if err != nil {
		return nil, fmt.Errorf("loading the AWS configuration: %w", err)
	}
	if loaded.Region == "" {
		return nil, errors.New("loading the AWS configuration: no region is set")
	}
	return &DNS{
		cfg: cfg, region: loaded.Region, elb: newBalancers(loaded),
		zones: newZones(loaded, func(o *route53.Options) {
			if loaded.RetryMaxAttempts == 0 { // AWS_MAX_ATTEMPTS is not set
				o.RetryMaxAttempts = dnsTries
			}
		}),
	}, nil
}

var (
	zoneForm = regexp.MustCompile(`^[A-Z0-9]{1,32}$`)
	nameForm = regexp.MustCompile(`^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)+$`)
)

// validate reports every problem at once.
func (c DNSConfig) validate() error {
	var errs []error
	if !zoneForm.MatchString(c.Zone) {
		errs = append(errs, fmt.Errorf("hosted zone %q: want the id of one, such as Z0123456789ABC", c.Zone))
	}
	if !nameForm.MatchString(c.Name) || len(c.Name) > 253 {
		errs = append(errs, fmt.Errorf("DNS name %q: want a full name such as checkout.example.com, and no wildcard", c.Name))
	}
	// 128 is what Route 53 takes, https://docs.aws.amazon.com/Route53/latest/APIReference/API_ResourceRecordSet.html.
	if c.ID == "" || len(c.ID+suffixCandidate) > 128 {
		errs = append(errs, fmt.Errorf("set identifier %q: want 1 to %d characters", c.ID, 128-len(suffixCandidate)))
	}
	if c.TTL < 0 || c.Poll < 0 {
		errs = append(errs, fmt.Errorf("time to live %s and pause %s: want none below 0", c.TTL, c.Poll))
	}
	return errors.Join(errs...)
}

// plain is a DNS name in the one form in which names are compared.
func plain(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) }

func (d *DNS) log(format string, args ...any) {
	if d.cfg.Log != nil {
		d.cfg.Log(fmt.Sprintf(format, args...))
	}
}
