package metrics

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/DataDog/datadog-api-client-go/v2/api/datadog"
	"github.com/DataDog/datadog-api-client-go/v2/api/datadogV1"
)

const (
	// datadogDelay is how long a bucket goes on filling: agents send every 10 s, and what they send is seen seconds later.
	datadogDelay = 15 * time.Second
	// datadogRecent is how far back the newest measurement is looked for; up to an hour Datadog's buckets have 20 s at the most.
	datadogRecent = 10 * time.Minute
	// datadogKnown is how long a metric is remembered that nobody sends: a service may have had no error for days.
	datadogKnown = 7 * 24 * time.Hour
)

// datadogSites are where Datadog's API is: https://docs.datadoghq.com/getting_started/site/
var datadogSites = []string{
	"datadoghq.com", "us3.datadoghq.com", "us5.datadoghq.com", "datadoghq.eu", "ap1.datadoghq.com", "ap2.datadoghq.com", "uk1.datadoghq.com",
	"ddog-gov.com", "us2.ddog-gov.com",
}

// DatadogConfig says which Datadog is asked, and as who.
type DatadogConfig struct {
	// Site is one of Datadog's, such as datadoghq.eu; empty is datadoghq.com.
	Site string
	// URL replaces the address that Site has.
	URL string
	// APIKey and AppKey are both needed; the application key needs the scope timeseries_query and no other.
	APIKey, AppKey string
	// HTTP is the transport to use; nil means http.DefaultTransport.
	HTTP http.RoundTripper
}

// Datadog is a Querier.
type Datadog struct {
	api  *datadogV1.MetricsApi
	veil *veil
}

// NewDatadog gives a client; nothing is sent yet.
func NewDatadog(cfg DatadogConfig) (*Datadog, error) {
	var errs []error
	if cfg.Site == "" {
		cfg.Site = datadogSites[0]
	}
	if !slices.Contains(datadogSites, cfg.Site) {
		errs = append(errs, fmt.Errorf("there is no Datadog site %q; there are %s", cfg.Site, strings.Join(datadogSites, ", ")))
	}
	if cfg.URL == "" {
		cfg.URL = "https://api." + cfg.Site
	}
	root, _, err := parseRoot("Datadog", cfg.URL)
	errs = append(errs, err)
	if cfg.APIKey == "" || cfg.AppKey == "" {
		errs = append(errs, errors.New("asking Datadog takes an API key and an application key"))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	client := datadog.NewConfiguration()
	client.Servers = datadog.ServerConfigurations{{URL: root.String()}}
	client.HTTPClient = &http.Client{Transport: reach(root, cfg.HTTP, func(req *http.Request) error {
		req.Header.Set("DD-API-KEY", cfg.APIKey)
		req.Header.Set("DD-APPLICATION-KEY", cfg.AppKey)
		return nil
	})}
	return &Datadog{api: datadogV1.NewMetricsApi(datadog.NewAPIClient(client)), veil: newVeil(cfg.APIKey, cfg.AppKey)}, nil
}

// Query evaluates a query of Datadog's metrics. With a window at its end ([37s], from [$window]) it counts: it must then be
// .as_count(), and its complete buckets within the window are added up. Without one it measures: its newest complete bucket is
// the value.
func (d *Datadog) Query(ctx context.Context, query string, at time.Time) (Sample, error) {
	s, err := d.query(ctx, query, at)
	return s, d.veil.over(err)
}

func (d *Datadog) query(ctx context.Context, query string, at time.Time) (Sample, error) {
	query, window := cutWindow(query)
	if window > 0 && !strings.Contains(query, ".as_count()") {
		return Sample{}, &UnusableError{Fault: WrongKind, Detail: "only counts can be added up over a window: end the query with .as_count()[$window], or leave [$window] out"}
	}
	span := window
	if span == 0 {
		span = datadogRecent
	}
	series, err := d.ask(ctx, query, at.Add(-span), at)
	switch {
	case err != nil:
		return Sample{}, err
	case len(series) == 0:
		return Sample{}, &UnusableError{Fault: Empty, Detail: "no series matches, or none has a point in the window"}
	case len(series) > 1:
		return Sample{}, &UnusableError{Fault: Several, Detail: fmt.Sprintf("%d of them, for instance %s and %s; leave `by {…}` out",
			len(series), series[0].GetScope(), series[1].GetScope())}
	}
	buckets, err := datadogBuckets(series[0].GetPointlist())
	width := time.Duration(series[0].GetInterval()) * time.Second
	if err == nil && width <= 0 {
		err = errors.New("its points have no interval")
	}
	if err != nil {
		return Sample{}, fmt.Errorf("asking Datadog: reading the answer: %w", err)
	}
	return ripeness{width: width, delay: datadogDelay, fresh: lookback}.fold(buckets, window, at)
}

// ask gives the series of a query.
func (d *Datadog) ask(ctx context.Context, query string, from, to time.Time) ([]datadogV1.MetricsQueryMetadata, error) {
	ctx, cancel, seen := asking(ctx)
	defer cancel()
	resp, _, err := d.api.QueryMetrics(ctx, from.Unix(), to.Unix(), query) //nolint:bodyclose // the client has read and closed it
	var failure datadog.GenericOpenAPIError
	if errors.As(err, &failure) && seen.status == http.StatusBadRequest {
		return nil, &UnusableError{Fault: WrongKind, Detail: "the query does not parse: " + problems(failure)}
	}
	if refused := seen.refused("Datadog"); refused != nil {
		return nil, refused
	}
	if err != nil {
		return nil, failed(ctx, "Datadog", err)
	}
	// The client takes what it can't read for an empty answer with the rest aside.
	unread := resp.UnparsedObject != nil || slices.ContainsFunc(resp.Series, func(s datadogV1.MetricsQueryMetadata) bool { return s.UnparsedObject != nil })
	off := to.Sub(time.UnixMilli(resp.GetToDate()))
	switch {
	case resp.GetStatus() == "error" || resp.GetError() != "":
		return nil, fmt.Errorf("asking Datadog: %s", resp.GetError())
	case unread || resp.GetStatus() != "ok":
		return nil, errors.New("asking Datadog: the answer is none of Datadog's")
	case off > clockTolerance || off < -clockTolerance:
		return nil, &UnusableError{Fault: Stale, Detail: fmt.Sprintf("it is for %s, asked was %s", clock(time.UnixMilli(resp.GetToDate())), clock(to))}
	}
	return resp.Series, nil
}

// problems are Datadog's own words for what is wrong with a query.
func problems(failure datadog.GenericOpenAPIError) string {
	if list, ok := failure.ErrorModel.(datadogV1.APIErrorResponse); ok {
		return strings.Join(list.Errors, "; ")
	}
	return failure.ErrorMessage
}

// datadogBuckets reads points, pairs of milliseconds and value; a value may be missing.
func datadogBuckets(points [][]*float64) ([]bucket, error) {
	var buckets []bucket
	for _, p := range points {
		if len(p) != 2 || p[0] == nil {
			return nil, errors.New("a point is no pair of time and value")
		}
		if p[1] != nil {
			buckets = append(buckets, bucket{time.UnixMilli(int64(*p[0])), *p[1]})
		}
	}
	return buckets, nil
}

// datadogName is a metric in a query: after the aggregation, which may have a condition, and before its tags.
var datadogName = regexp.MustCompile(`\b(?:sum|avg|min|max|count|p\d+(?:\.\d+)?)(?:\([^)]*\))?:([A-Za-z][A-Za-z0-9_.]*)\s*\{`)

// Missing names the metrics of a query that have had no point for a week. It takes no right beyond the one to query.
func (d *Datadog) Missing(ctx context.Context, query string, at time.Time) ([]string, error) {
	var missing []string
	for _, name := range captured(datadogName, query) {
		series, err := d.ask(ctx, "avg:"+name+"{*}", at.Add(-datadogKnown), at)
		if err != nil {
			return nil, d.veil.over(err)
		}
		if len(series) == 0 {
			missing = append(missing, name)
		}
	}
	return missing, nil
}
