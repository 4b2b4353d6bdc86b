package metrics

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/api"
	prometheus "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
)

const (
	// lookback is how old the newest sample of a series may be: two scrapes at the customary minute. Prometheus' own five
	// minutes would show a dead target as healthy for as long. Servers that don't know the parameter ignore it.
	lookback = 2 * time.Minute
	// clockTolerance is how far the time of an answer may lie from the time that was asked for.
	clockTolerance = 30 * time.Second
)

// PrometheusConfig says how to reach a Prometheus, or what speaks its API (Thanos, Mimir, VictoriaMetrics, Amazon's).
type PrometheusConfig struct {
	// URL is the root of the server, without /api/v1. User and password in it are those below.
	URL string
	// Token is a bearer token, or with User the password of basic authentication.
	Token, User string
	// SigV4 signs requests to Amazon Managed Service for Prometheus; it excludes Token and User.
	SigV4 *SigV4
	// TLS says whom to trust and who we are; the zero value trusts what the machine trusts.
	TLS TLSConfig
	// HTTP replaces the transport, and with it what TLS says.
	HTTP http.RoundTripper
}

// Prometheus is a Querier.
type Prometheus struct {
	api  prometheus.API
	veil *veil
}

// NewPrometheus gives a client; nothing is sent yet.
func NewPrometheus(cfg PrometheusConfig) (*Prometheus, error) {
	root, user, err := parseRoot("Prometheus", cfg.URL)
	errs := []error{err}
	if user != nil && cfg.Token == "" && cfg.User == "" {
		cfg.User = user.Username()
		cfg.Token, _ = user.Password()
	}
	with, err := cfg.credential()
	errs = append(errs, err)
	inner := cfg.HTTP
	if inner == nil {
		inner, err = cfg.TLS.transport()
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	client, err := api.NewClient(api.Config{Address: root.String(), RoundTripper: reach(root, inner, with)})
	if err != nil {
		return nil, fmt.Errorf("reading the URL of Prometheus: %w", withoutURL(err))
	}
	return &Prometheus{api: prometheus.NewAPI(client), veil: newVeil(cfg.Token)}, nil
}

// credential is what is added to each request; nil when nothing is.
func (cfg PrometheusConfig) credential() (authorize, error) {
	switch {
	case cfg.SigV4 != nil && (cfg.Token != "" || cfg.User != ""):
		return nil, errors.New("authenticating at Prometheus: a signature excludes a token and a user")
	case cfg.SigV4 != nil:
		return cfg.SigV4.sign, nil
	case cfg.User != "" && cfg.Token == "":
		return nil, errors.New("authenticating at Prometheus: the user has no password")
	case cfg.User != "":
		return func(req *http.Request) error {
			req.SetBasicAuth(cfg.User, cfg.Token)
			return nil
		}, nil
	case cfg.Token != "":
		return func(req *http.Request) error {
			req.Header.Set("Authorization", "Bearer "+cfg.Token)
			return nil
		}, nil
	}
	return nil, nil
}

// Query evaluates PromQL. It must give one scalar or a vector of one series.
func (p *Prometheus) Query(ctx context.Context, query string, at time.Time) (Sample, error) {
	s, err := p.query(ctx, query, at)
	return s, p.veil.over(err)
}

func (p *Prometheus) query(ctx context.Context, query string, at time.Time) (Sample, error) {
	ctx, cancel, seen := asking(ctx)
	defer cancel()
	value, warnings, err := p.api.Query(ctx, query, at, prometheus.WithTimeout(QueryTime), prometheus.WithLookbackDelta(lookback))
	if err != nil {
		return Sample{}, asError(ctx, seen, err)
	}
	if len(warnings) > 0 {
		return Sample{}, &UnusableError{Fault: Partial, Detail: strings.Join(warnings, "; ")}
	}
	s, err := single(value)
	if err != nil {
		return Sample{}, err
	}
	if age := at.Sub(s.At); age > clockTolerance || age < -clockTolerance {
		return Sample{}, &UnusableError{Fault: Stale, Detail: fmt.Sprintf("its time is %s, asked was %s", clock(s.At), clock(at))}
	}
	return s, s.finite()
}

// finite refuses NaN and infinities.
func (s Sample) finite() error {
	if math.IsNaN(s.Value) || math.IsInf(s.Value, 0) {
		return &UnusableError{Fault: NotANumber, Detail: fmt.Sprintf("%v", s.Value)}
	}
	return nil
}

// clock is a time of day in an error.
func clock(t time.Time) string { return t.UTC().Format(time.TimeOnly) }

func single(value model.Value) (Sample, error) {
	switch v := value.(type) {
	case *model.Scalar:
		return Sample{Value: float64(v.Value), At: v.Timestamp.Time()}, nil
	case model.Vector:
		switch {
		case len(v) == 0:
			return Sample{}, &UnusableError{Fault: Empty, Detail: "no series matches, or none has enough samples in the window"}
		case len(v) > 1:
			return Sample{}, &UnusableError{Fault: Several, Detail: fmt.Sprintf("%d of them, for instance %s and %s; aggregate with sum()", len(v), v[0].Metric, v[1].Metric)}
		case v[0].Histogram != nil:
			return Sample{}, &UnusableError{Fault: WrongKind, Detail: "it is a histogram; use histogram_quantile() or histogram_count()"}
		}
		return Sample{Value: float64(v[0].Value), At: v[0].Timestamp.Time()}, nil
	}
	return Sample{}, &UnusableError{Fault: WrongKind, Detail: fmt.Sprintf("it is a %s; a query gives one number", kind(value))}
}

func kind(value model.Value) string {
	if value == nil {
		return "missing value"
	}
	return value.Type().String()
}

// asError sorts errors into answers that are none and servers that gave no answer.
func asError(ctx context.Context, seen *answer, err error) error {
	var api *prometheus.Error
	if errors.As(err, &api) && api.Type == prometheus.ErrBadData && seen.status == http.StatusBadRequest {
		return &UnusableError{Fault: WrongKind, Detail: "the query does not parse: " + api.Msg}
	}
	refused := seen.refused("Prometheus")
	var unusable *UnusableError
	switch {
	case refused != nil && api != nil && !errors.As(refused, &unusable):
		return fmt.Errorf("%w: %s", refused, api.Msg)
	case refused != nil:
		return refused
	}
	return failed(ctx, "Prometheus", err)
}
