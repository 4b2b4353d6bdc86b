package metrics

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go/encoding/cbor"
)

const oneMetric = `{"Id": "n", "MetricStat": {"Metric": {"Namespace": "Checkout", "MetricName": "Requests",
	"Dimensions": [{"Name": "release", "Value": "r1"}]}, "Period": 60, "Stat": "Sum"}}`

// cloudwatchDouble speaks the SDK's protocol, RPC v2 in CBOR.
func cloudwatchDouble() double {
	return double{
		secrets: []string{awsSecret}, address: "cloudwatch.test:80", query: oneMetric + " [300s]", throttled: "Retry-After", kind: "application/cbor", redirected: "HTTP 30",
		open: func(t *testing.T, inner http.RoundTripper) Querier {
			return must(NewCloudWatch(t.Context(), CloudWatchConfig{Region: awsRegion, HTTP: inner}, static, config.WithBaseEndpoint("http://cloudwatch.test")))
		},
		admits: func(r *http.Request, body string) error {
			if !strings.HasSuffix(r.URL.Path, "/operation/GetMetricData") && !strings.HasSuffix(r.URL.Path, "/operation/ListMetrics") {
				return errors.New("not one of the two operations that the role may: " + r.URL.Path)
			}
			return signed(r, body, "monitoring")
		},
		answer: cloudwatchAnswer,
		faults: map[situation]Fault{isStale: Empty}, // its buckets have times; what lies outside the window is not there
	}
}

func cloudwatchAnswer(s situation, _ *http.Request, body string) (int, string) {
	sent, err := cbor.Decode([]byte(body))
	if err != nil {
		return 400, err.Error()
	}
	from := must(cbor.AsTime(sent.(cbor.Map)["StartTime"])).Truncate(time.Minute)
	to := must(cbor.AsTime(sent.(cbor.Map)["EndTime"]))
	// The oldest bucket began before the window, and the newest are still filling, always.
	series := func(code string, values ...float64) cbor.Value {
		times := cbor.List{stamp(from.Add(-time.Minute)), stamp(to.Add(-90 * time.Second).Truncate(time.Second))}
		numbers := cbor.List{cbor.Float64(theFilling), cbor.Float64(theFilling)}
		for i, v := range values {
			times = append(times, stamp(from.Add(time.Duration(i+1)*time.Minute)))
			numbers = append(numbers, cbor.Float64(v))
		}
		return cbor.Map{"Id": cbor.String("n"), "Label": cbor.String("Requests"), "StatusCode": cbor.String(code), "Timestamps": times, "Values": numbers}
	}
	results := cbor.List{series("Complete", 10.5, 2)}
	switch s {
	case hasZero:
		results = cbor.List{series("Complete", 0)}
	case hasNothing:
		results = cbor.List{cbor.Map{"Id": cbor.String("n"), "StatusCode": cbor.String("Complete")}}
	case hasNaN:
		results = cbor.List{series("Complete", math.NaN())}
	case hasSeveral:
		other := series("Complete", 1).(cbor.Map)
		other["Label"] = cbor.String("Other")
		results = append(results, other)
	case isStale:
		results = cbor.List{series("Complete")}
	case isFilling:
		results = cbor.List{series("Complete", 12, 0.5)}
	case isPartial:
		results = cbor.List{series("PartialData", 12.5)}
	case isBadQuery:
		return 400, string(cbor.Encode(cbor.Map{"__type": cbor.String("com.amazonaws.cloudwatch#ValidationError"), "message": cbor.String("Error in expression 'q'")}))
	}
	text := string(cbor.Encode(cbor.Map{"MetricDataResults": results}))
	if s == isMalformed {
		return 200, text[:len(text)/2]
	}
	return 200, text
}

func stamp(t time.Time) cbor.Value {
	return &cbor.Tag{ID: 1, Value: cbor.Float64(float64(t.Unix()))}
}

func TestCloudWatchReadsEveryPage(t *testing.T) {
	page := func(next, code string, at time.Time, value float64) script {
		return func(*http.Request, string) (int, http.Header, string) {
			out := cbor.Map{"MetricDataResults": cbor.List{cbor.Map{"Id": cbor.String("n"), "StatusCode": cbor.String(code),
				"Timestamps": cbor.List{stamp(at)}, "Values": cbor.List{cbor.Float64(value)}}}}
			if next != "" {
				out["NextToken"] = cbor.String(next)
			}
			return 200, nil, string(cbor.Encode(out))
		}
	}
	run(t, cloudwatchDouble(), "pages", func(t *testing.T, monitor Querier, server *scripted) {
		now := time.Now()
		first := page("more", "PartialData", now.Add(-4*time.Minute), 3)
		for _, c := range []struct {
			say   []script
			want  float64
			fault Fault
		}{
			{[]script{first, page("", "Complete", now.Add(-3*time.Minute), 4)}, 7, ""},
			{[]script{first, page("", "PartialData", now.Add(-3*time.Minute), 4)}, 0, Partial},
			{[]script{first, page("", "InternalError", now.Add(-3*time.Minute), 4)}, 0, Partial},
			{[]script{first, page("", "Forbidden", now.Add(-3*time.Minute), 4)}, 0, Denied},
			{[]script{first}, 0, Partial}, // and so on without end
		} {
			server.say(c.say...)
			got, err := monitor.Query(t.Context(), oneMetric+" [300s]", now)
			if c.fault != "" {
				wantFault(t, err, c.fault)
			} else if err != nil || got.Value != c.want {
				t.Errorf("got %v, %v", got, err)
			}
		}
	})
}

func TestCloudWatchMeasuresWithItsNewestCompleteBucket(t *testing.T) {
	run(t, cloudwatchDouble(), "CloudWatch", func(t *testing.T, monitor Querier, server *scripted) {
		now := time.Now()
		for age, want := range map[time.Duration]any{2 * time.Minute: theValue, 8 * time.Minute: Stale, time.Minute: Empty} {
			server.say(func(*http.Request, string) (int, http.Header, string) {
				return 200, nil, string(cbor.Encode(cbor.Map{"MetricDataResults": cbor.List{cbor.Map{"Id": cbor.String("q"), "StatusCode": cbor.String("Complete"),
					"Timestamps": cbor.List{stamp(now.Add(-age))}, "Values": cbor.List{cbor.Float64(theValue)}}}}))
			})
			got, err := monitor.Query(t.Context(), `SELECT MAX(Latency) FROM "Checkout" WHERE release = 'r1'`, now)
			if fault, ok := want.(Fault); ok {
				wantFault(t, err, fault)
			} else if err != nil || got.Value != want {
				t.Errorf("got %v, %v", got, err)
			}
		}
	})
}

func TestParseCloudWatch(t *testing.T) {
	two := `[{"Id":"a","Expression":"b*2"},` + strings.Replace(oneMetric, `"n"`, `"b"`, 1) + `]`
	for text, want := range map[string]any{
		oneMetric: "Checkout Requests",
		`SELECT SUM(Requests) FROM SCHEMA("Checkout", release) WHERE release='r1'`: "Checkout Requests",
		`SELECT SUM(RequestCount) FROM "AWS/ApplicationELB"`:                       "AWS/ApplicationELB RequestCount",
		`SUM(SEARCH('{Checkout,release} release="r1"', 'Sum'))`:                    "",
		`SELECT AVG(Latency) FROM "Checkout"`:                                      WrongKind,
		strings.Replace(oneMetric, `"Sum"`, `"p99"`, 1):                            WrongKind,
		strings.Replace(oneMetric, `"Period": 60, `, "", 1):                        WrongKind,
		strings.Replace(oneMetric, `"Stat"`, `"Statistic"`, 1):                     WrongKind,
		two: Several,
		strings.Replace(two, `,"Expression":"b*2"`, `,"ReturnData":false,"Expression":"b*2"`, 1): "Checkout Requests",
		strings.Replace(two, `,"Expression":"b*2"`, `,"Period":300,"Expression":"b*2"`, 1):       WrongKind,
	} {
		q, err := parseCloudWatch(text, true)
		if fault, ok := want.(Fault); ok {
			wantFault(t, err, fault)
			continue
		}
		name := ""
		for _, m := range q.metrics {
			name += fmt.Sprintf("%s %s", *m.Namespace, *m.MetricName)
		}
		if err != nil || name != want || q.period != time.Minute {
			t.Errorf("%s: got %q with %s, %v", text, name, q.period, err)
		}
	}
}
