package metrics

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// newRelicRegions are where NerdGraph is: https://docs.newrelic.com/docs/apis/nerdgraph/get-started/introduction-new-relic-nerdgraph/
var newRelicRegions = map[string]string{"US": "https://api.newrelic.com/graphql", "EU": "https://api.eu.newrelic.com/graphql"}

// NewRelicConfig says which account is asked, and as who.
type NewRelicConfig struct {
	// Region is US or EU; empty is US.
	Region string
	// URL replaces the address that Region has.
	URL string
	// Account is the account's number.
	Account int
	// Key is a user key.
	Key string
	// HTTP is the transport to use; nil means http.DefaultTransport.
	HTTP http.RoundTripper
}

// NewRelic is a Querier. It speaks NerdGraph by itself: the official client waits without regard to the context, and drops
// errors that come beside the notice of a deprecation.
type NewRelic struct {
	endpoint string
	account  int
	client   *http.Client
	veil     *veil
}

// NewNewRelic gives a client; nothing is sent yet.
func NewNewRelic(cfg NewRelicConfig) (*NewRelic, error) {
	var errs []error
	if cfg.Region == "" {
		cfg.Region = "US"
	}
	at, known := newRelicRegions[strings.ToUpper(cfg.Region)]
	if !known {
		errs = append(errs, fmt.Errorf("there is no New Relic region %q; there are EU and US", cfg.Region))
	}
	if cfg.URL == "" {
		cfg.URL = at
	}
	if cfg.Account <= 0 {
		errs = append(errs, errors.New("asking New Relic takes the number of an account"))
	}
	if cfg.Key == "" {
		errs = append(errs, errors.New("asking New Relic takes a user key"))
	}
	root := &url.URL{}
	if cfg.URL != "" {
		var err error
		root, _, err = parseRoot("New Relic", cfg.URL)
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return &NewRelic{
		endpoint: root.String(), account: cfg.Account, veil: newVeil(cfg.Key),
		client: &http.Client{Transport: reach(root, cfg.HTTP, func(req *http.Request) error {
			req.Header.Set("API-Key", cfg.Key)
			return nil
		})},
	}, nil
}

// Query evaluates NRQL that selects one number. `SINCE 37s AGO`, from `SINCE $window AGO`, becomes the exact times.
func (n *NewRelic) Query(ctx context.Context, query string, at time.Time) (Sample, error) {
	s, err := n.query(ctx, query, at)
	return s, n.veil.over(err)
}

func (n *NewRelic) query(ctx context.Context, query string, at time.Time) (Sample, error) {
	q, err := parseNRQL(query, at)
	if err != nil {
		return Sample{}, err
	}
	got, err := n.ask(ctx, q.text)
	if err != nil {
		return Sample{}, err
	}
	end := time.UnixMilli(got.Metadata.TimeWindow.End)
	if off := q.until.Sub(end); !q.until.IsZero() && (off > clockTolerance || off < -clockTolerance) || q.until.IsZero() && at.Sub(end) > lookback {
		return Sample{}, &UnusableError{Fault: Stale, Detail: fmt.Sprintf("it is for %s, asked was %s", clock(end), clock(at))}
	}
	value, err := onlyNumber(got.Results)
	if err != nil {
		return Sample{}, err
	}
	s := Sample{Value: value, At: end}
	return s, s.finite()
}

// eventTypes are what a query reads from.
var eventTypes = regexp.MustCompile(`(?i)\bFROM\s+([A-Za-z_][\w:]*(?:\s*,\s*[A-Za-z_][\w:]*)*)`)

// Missing names the event types that a query reads and that the account has not had for a week.
func (n *NewRelic) Missing(ctx context.Context, query string, at time.Time) ([]string, error) {
	got, err := n.ask(ctx, fmt.Sprintf("SHOW EVENT TYPES SINCE %d UNTIL %d", at.Add(-7*24*time.Hour).UnixMilli(), at.UnixMilli()))
	if err != nil {
		return nil, n.veil.over(err)
	}
	var known, missing []string
	for _, row := range got.Results {
		if name, ok := row["eventType"].(string); ok {
			known = append(known, name)
		}
	}
	for _, list := range captured(eventTypes, unquoted(query)) {
		for name := range strings.SplitSeq(list, ",") {
			if name = strings.TrimSpace(name); !slices.Contains(known, name) {
				missing = append(missing, name)
			}
		}
	}
	return missing, nil
}
