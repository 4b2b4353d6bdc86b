package metrics

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/prometheus/client_golang/api"
	prometheus "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
)

const (
	// queryTime bounds one query with all its tries.
	queryTime = 10 * time.Second
	// lookback is how old the newest sample of a series may be: two scrapes at the customary minute. Prometheus' own five
	// minutes would show a dead target as healthy for as long. Servers that don't know the parameter ignore it.
	lookback = 2 * time.Minute
	// clockTolerance is how far the time of an answer may lie from the time that was asked for.
	clockTolerance = 30 * time.Second
)

// PrometheusConfig says how to reach a Prometheus, or what speaks its API (Thanos, Mimir, VictoriaMetrics).
type PrometheusConfig struct {
	// URL is the root of the server, without /api/v1.
	URL string
	// HTTP is the transport to use; nil means http.DefaultTransport.
	HTTP http.RoundTripper
}

// Prometheus is a Querier.
type Prometheus struct{ api prometheus.API }

// NewPrometheus gives a client; nothing is sent yet.
func NewPrometheus(cfg PrometheusConfig) (*Prometheus, error) {
	u, err := url.Parse(cfg.URL)
	if err == nil && (u.Scheme != "http" && u.Scheme != "https" || u.Host == "") {
		err = errors.New("it must begin with http:// or https:// and name a host")
	}
	if err != nil {
		// A URL may hold a password, and url.Parse's error repeats it.
		return nil, fmt.Errorf("reading the URL of Prometheus: %w", withoutURL(err))
	}
	inner := cfg.HTTP
	if inner == nil {
		inner = http.DefaultTransport
	}
	client, err := api.NewClient(api.Config{Address: strings.TrimSuffix(cfg.URL, "/"), RoundTripper: &patient{inner: inner}})
	if err != nil {
		return nil, fmt.Errorf("reading the URL of Prometheus: %w", withoutURL(err))
	}
	return &Prometheus{api: prometheus.NewAPI(client)}, nil
}

// Query evaluates PromQL. It must give one scalar or a vector of one series.
func (p *Prometheus) Query(ctx context.Context, query string, at time.Time) (Sample, error) {
	ctx, cancel := context.WithTimeout(ctx, queryTime)
	defer cancel()
	seen := &answer{}
	value, warnings, err := p.api.Query(context.WithValue(ctx, answerKey{}, seen), query, at,
		prometheus.WithTimeout(queryTime), prometheus.WithLookbackDelta(lookback))
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
	switch age := at.Sub(s.At); {
	case math.IsNaN(s.Value) || math.IsInf(s.Value, 0):
		return Sample{}, &UnusableError{Fault: NotANumber, Detail: fmt.Sprintf("%v", s.Value)}
	case age > clockTolerance || age < -clockTolerance:
		return Sample{}, &UnusableError{Fault: Stale, Detail: fmt.Sprintf("its time is %s, asked was %s", s.At.UTC().Format(time.TimeOnly), at.UTC().Format(time.TimeOnly))}
	}
	return s, nil
}

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
	switch {
	case seen.status == http.StatusUnauthorized || seen.status == http.StatusForbidden:
		return &UnusableError{Fault: Denied, Detail: fmt.Sprintf("HTTP %d; it needs credentials, or those given may not ask", seen.status)}
	case errors.As(err, &api) && api.Type == prometheus.ErrBadData && seen.status == http.StatusBadRequest:
		return &UnusableError{Fault: WrongKind, Detail: "the query does not parse: " + api.Msg}
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fmt.Errorf("asking Prometheus: no answer within %s", queryTime)
	case seen.status >= 300:
		return fmt.Errorf("asking Prometheus: HTTP %d: %w", seen.status, err)
	}
	return fmt.Errorf("asking Prometheus: %w", err)
}

// withoutURL drops the text of a URL from an error about it.
func withoutURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}
