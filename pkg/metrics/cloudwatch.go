package metrics

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/smithy-go"

	"github.com/org/promote/pkg/amazon"
)

const (
	// cloudwatchDelay is how long a bucket goes on filling after its end: agents and load balancers publish once a minute.
	cloudwatchDelay = time.Minute
	// cloudwatchFresh is the age of a measurement that is still believed, and cloudwatchRecent how far back it is looked for:
	// basic monitoring publishes every five minutes.
	cloudwatchFresh  = 6 * time.Minute
	cloudwatchRecent = 15 * time.Minute
	// cloudwatchPages is far above what one number takes; a query that matches the whole account is not read to its end.
	cloudwatchPages = 20
)

// CloudWatchConfig says whose metrics are asked for; credentials and endpoint (AWS_ENDPOINT_URL) are those of the SDK's usual
// configuration. The role needs cloudwatch:GetMetricData and cloudwatch:ListMetrics.
type CloudWatchConfig struct {
	// Region is where the metrics are; empty is the configuration's.
	Region string
	// HTTP is the transport to use; nil means the SDK's.
	HTTP http.RoundTripper
}

// CloudWatch is a Querier. It holds two operations and not their client: a program with templates in it keeps every method of what
// reflection can reach.
type CloudWatch struct {
	getMetricData func(context.Context, *cloudwatch.GetMetricDataInput, ...func(*cloudwatch.Options)) (*cloudwatch.GetMetricDataOutput, error)
	listMetrics   func(context.Context, *cloudwatch.ListMetricsInput, ...func(*cloudwatch.Options)) (*cloudwatch.ListMetricsOutput, error)
}

// NewCloudWatch loads the AWS configuration.
func NewCloudWatch(ctx context.Context, cfg CloudWatchConfig, opts ...func(*config.LoadOptions) error) (*CloudWatch, error) {
	if cfg.Region != "" {
		opts = append([]func(*config.LoadOptions) error{config.WithRegion(cfg.Region)}, opts...)
	}
	loaded, err := amazon.Config(ctx, opts...)
	if err != nil {
		return nil, fmt.Errorf("loading the AWS configuration: %w", err)
	}
	if loaded.Region == "" {
		return nil, errors.New("asking CloudWatch: no region is set")
	}
	inner := cfg.HTTP
	if client, ok := loaded.HTTPClient.(*awshttp.BuildableClient); ok && inner == nil {
		inner = client.GetTransport()
	}
	api := cloudwatch.NewFromConfig(loaded, func(o *cloudwatch.Options) {
		o.HTTPClient = &http.Client{
			Transport: &patient{inner: inner},
			// A redirect's answer is not the monitor's.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
	})
	return &CloudWatch{getMetricData: api.GetMetricData, listMetrics: api.ListMetrics}, nil
}

// Query evaluates an expression (Metrics Insights, or metric math over SEARCH), or MetricDataQueries as JSON of which one returns
// data. With a window at its end ([37s], from [$window]) it counts: the complete buckets within the window are added up. Without
// one it measures: its newest complete bucket is the value.
func (c *CloudWatch) Query(ctx context.Context, query string, at time.Time) (Sample, error) {
	text, window := cutWindow(query)
	q, err := parseCloudWatch(text, window > 0)
	if err != nil {
		return Sample{}, err
	}
	span := window
	if span == 0 {
		span = cloudwatchRecent
	}
	series, err := c.ask(ctx, q.queries, at.Add(-span), at)
	switch {
	case err != nil:
		return Sample{}, err
	case len(series) > 1:
		return Sample{}, &UnusableError{Fault: Several, Detail: fmt.Sprintf("%d of them; leave GROUP BY out, or put SUM() around SEARCH()", len(series))}
	}
	var buckets []bucket
	for _, points := range series {
		buckets = points
	}
	return ripeness{width: q.period, delay: cloudwatchDelay, fresh: cloudwatchFresh}.fold(buckets, window, at)
}

// ask reads all pages and gives the buckets of each series. A series is whole when the last that is said of it is Complete.
func (c *CloudWatch) ask(ctx context.Context, queries []types.MetricDataQuery, from, to time.Time) (map[string][]bucket, error) {
	ctx, cancel, seen := asking(ctx)
	defer cancel()
	in := &cloudwatch.GetMetricDataInput{MetricDataQueries: queries, StartTime: aws.Time(from), EndTime: aws.Time(to)}
	series, status := map[string][]bucket{}, map[string]types.StatusCode{}
	for range cloudwatchPages {
		out, err := c.getMetricData(ctx, in)
		if err != nil {
			return nil, cloudwatchError(ctx, seen, err)
		}
		messages := out.Messages
		for _, r := range out.MetricDataResults {
			key := aws.ToString(r.Id) + " " + aws.ToString(r.Label)
			status[key] = r.StatusCode
			messages = append(messages, r.Messages...)
			if len(r.Timestamps) != len(r.Values) {
				return nil, errors.New("asking CloudWatch: the answer has other numbers of times and values")
			}
			series[key] = append(series[key], nil...)
			for i, at := range r.Timestamps {
				series[key] = append(series[key], bucket{at, r.Values[i]})
			}
		}
		if len(messages) > 0 {
			return nil, &UnusableError{Fault: Partial, Detail: aws.ToString(messages[0].Code) + ": " + aws.ToString(messages[0].Value)}
		}
		if aws.ToString(out.NextToken) == "" {
			return series, whole(status)
		}
		in.NextToken = out.NextToken
	}
	return nil, &UnusableError{Fault: Partial, Detail: fmt.Sprintf("it has more than %d pages; the query matches too much", cloudwatchPages)}
}

// whole refuses series of which something is missing.
func whole(status map[string]types.StatusCode) error {
	for key, code := range status {
		switch code {
		case types.StatusCodeComplete:
		case types.StatusCodeForbidden:
			return &UnusableError{Fault: Denied, Detail: fmt.Sprintf("CloudWatch says %s of %s", code, key)}
		default:
			return &UnusableError{Fault: Partial, Detail: fmt.Sprintf("CloudWatch says %s of %s", code, key)}
		}
	}
	return nil
}

// cloudwatchError sorts the SDK's errors by AWS's codes.
func cloudwatchError(ctx context.Context, seen *answer, err error) error {
	refused := seen.refused("CloudWatch")
	var api smithy.APIError
	if !errors.As(err, &api) && refused == nil {
		return failed(ctx, "CloudWatch", err)
	}
	var denied *UnusableError
	if api == nil || errors.As(refused, &denied) || seen.wait > 0 {
		return refused
	}
	code := api.ErrorCode()
	for _, word := range []string{"AccessDenied", "UnrecognizedClient", "InvalidClientTokenId", "ExpiredToken", "SignatureDoesNotMatch", "InvalidSignature", "MissingAuthentication", "OptInRequired"} {
		if strings.Contains(code, word) {
			return &UnusableError{Fault: Denied, Detail: code + ": " + api.ErrorMessage()}
		}
	}
	if strings.HasPrefix(code, "Invalid") || strings.HasPrefix(code, "Validation") || strings.HasPrefix(code, "MissingRequiredParameter") {
		return &UnusableError{Fault: WrongKind, Detail: code + ": " + api.ErrorMessage()}
	}
	return fmt.Errorf("asking CloudWatch: HTTP %d: %s: %s", seen.status, code, api.ErrorMessage())
}

// Missing names the metrics of a query that nothing has been published of for two weeks.
func (c *CloudWatch) Missing(ctx context.Context, query string, _ time.Time) ([]string, error) {
	ctx, cancel, seen := asking(ctx)
	defer cancel()
	text, _ := cutWindow(query)
	q, err := parseCloudWatch(text, false)
	if err != nil {
		return nil, err
	}
	if len(q.metrics) == 0 {
		return nil, errors.New("nothing can be looked up that a math expression reads: name the metrics in JSON, or publish 0 where there is nothing")
	}
	var missing []string
	for _, m := range q.metrics {
		in := &cloudwatch.ListMetricsInput{Namespace: m.Namespace, MetricName: m.MetricName}
		for _, d := range m.Dimensions {
			in.Dimensions = append(in.Dimensions, types.DimensionFilter{Name: d.Name})
		}
		out, err := c.listMetrics(ctx, in)
		if err != nil {
			return nil, cloudwatchError(ctx, seen, err)
		}
		if len(out.Metrics) == 0 && out.NextToken == nil {
			missing = append(missing, aws.ToString(m.Namespace)+" "+aws.ToString(m.MetricName))
		}
	}
	return missing, nil
}
