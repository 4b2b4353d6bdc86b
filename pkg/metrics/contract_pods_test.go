package metrics

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// podsDouble is a release of two pods that have their metrics on the Service's port.
func podsDouble() double {
	return double{
		address: "pod-a:8080", also: "pod-b:8080", query: `sum(requests{release="r1",code=~"2.."})`, throttled: "Retry-After", kind: "text/plain", redirected: "HTTP 30",
		open: func(_ *testing.T, inner http.RoundTripper) Querier {
			return must(NewPods(PodsConfig{Namespace: "prod", HTTP: inner, Targets: func(_ context.Context, release string) ([]Target, error) {
				if release != "r1" {
					return nil, nil
				}
				return []Target{{Pod: "pod-a", UID: "a", URL: "http://pod-a:8080/metrics"}, {Pod: "pod-b", UID: "b", URL: "http://pod-b:8080/metrics"}}, nil
			}}))
		},
		admits: func(r *http.Request, _ string) error {
			if r.Method != http.MethodGet || r.URL.Path != "/metrics" || len(r.Header.Values("Authorization")) > 0 {
				return errors.New("no scrape: " + r.URL.Path)
			}
			return nil
		},
		answer: podsAnswer,
		lacks: map[situation]string{
			hasSeveral: "sum() is one; see TestPodsAddUp", isFilling: "counters have no buckets", isBadQuery: "queries are read before anything is asked; see TestParsePodQuery",
		},
	}
}

func podsAnswer(s situation, r *http.Request, _ string) (int, string) {
	a := strings.HasPrefix(r.Host, "pod-a")
	value := map[bool]string{true: "10.5", false: "2"}[a]
	stamp := ""
	switch s {
	case hasZero:
		value = "0"
	case hasNothing:
		return 200, "other 1\n"
	case hasNaN:
		value = "NaN"
	case isStale:
		stamp = fmt.Sprint(" ", time.Now().Add(-10*time.Minute).UnixMilli())
	case isPartial:
		if !a {
			return 500, "oh"
		}
	case isMalformed:
		return 200, `requests{code="200"`
	}
	return 200, "# TYPE requests gauge\nrequests{code=\"200\",release=\"another\"} " + value + stamp + "\n"
}

func TestParsePodQuery(t *testing.T) {
	for _, query := range []string{
		`sum(increase(http_requests_total{namespace="prod",release="r1",code=~"5.."}[37s]))`,
		` sum( x{release="r1"} ) `,
		`max(x{release="r1",path="/orders/{id}",q="a\"}b"})`,
		`x{ release = "r1" , }`,
		`sum(increase(d_count{release="r1"}[9s])) - sum(increase(d_bucket{release="r1",le="0.25"}[9s]))`,
	} {
		if release, _, err := parsePodQuery(query); err != nil || release != "r1" {
			t.Errorf("%s: got %q, %v", query, release, err)
		}
	}
	for query, text := range map[string]string{
		`sum(rate(x{release="r1"}[37s]))`:             "do not know rate()",
		`histogram_quantile(0.99, x{release="r1"})`:   "do not know histogram_quantile()",
		`sum by (pod) (x{release="r1"})`:              "can't read",
		`increase(x{release="r1"}[37s])`:              "do not know increase()",
		`avg(increase(x{release="r1"}[37s]))`:         "can't evaluate",
		`sum(increase(x{release="r1"}))`:              "can't evaluate",
		`x{release="r1"}[37s]`:                        "can't evaluate",
		`sum(x{release="r1"}) / sum(y{release="r1"})`: "can't read",
		`sum(x{release="r1"}) - sum(y{release="r2"})`: "whose pods",
		`sum(x)`:                         "whose pods",
		`sum(x{release=~"r1"})`:          "whose pods",
		`sum(x{release="r1",code=~"("})`: "pattern of label code",
		`sum(x{release='r1'})`:           "can't read",
		`sum(x{release="r1"}`:            "can't read",
		``:                               "can't read",
		`sum(increase(x{release="r1"}[37s] offset 1m))`:                        "can't read",
		`sum(increase(x{release="r1"}[37s])) - `:                               "can't read",
		`count(x{release="r1"})`:                                               "do not know count()",
		`sum(x{release="r1"}) or vector(0)`:                                    "can't read",
		`sum(increase(x{release="r1"}[5m]))`:                                   "can't evaluate",
		`quantile_over_time(0.5, x{release="r1"}[37s])`:                        "do not know quantile_over_time()",
		`sum(increase(x{release="r1"}[37s])) - sum(rate(x{release="r1"}[9s]))`: "do not know rate()",
	} {
		_, _, err := parsePodQuery(query)
		wantFault(t, err, WrongKind)
		if err != nil && !strings.Contains(err.Error(), text) {
			t.Errorf("%s: got %v, want %q", query, err, text)
		}
	}
}

// fleet is pods whose metrics a test writes.
type fleet struct {
	said    map[string]string // by pod
	started map[string]time.Time
	reads   atomic.Int32
}

func (f *fleet) targets(context.Context, string) ([]Target, error) {
	var all []Target
	for pod := range f.said {
		all = append(all, Target{Pod: pod, UID: pod, URL: "http://" + pod + ":8080/metrics", Started: f.started[pod]})
	}
	return all, nil
}

func (f *fleet) RoundTrip(req *http.Request) (*http.Response, error) {
	f.reads.Add(1)
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(f.said[req.URL.Hostname()]))}, nil
}

func TestPodsAddUp(t *testing.T) {
	const bad, total = `sum(increase(requests_total{release="r1",code="500"}[%s]))`, `sum(increase(requests_total{release="r1"}[%s]))`
	synctest.Test(t, func(t *testing.T) {
		f := &fleet{said: map[string]string{}, started: map[string]time.Time{}}
		p := must(NewPods(PodsConfig{Namespace: "prod", Targets: f.targets, HTTP: f}))
		began := time.Now()
		counts := func(good, bad int) string {
			text := fmt.Sprintf("# TYPE requests_total counter\nrequests_total{code=\"200\"} %d\n", good)
			if bad > 0 {
				text += fmt.Sprintf("requests_total{code=\"500\"} %d\n", bad)
			}
			return text
		}
		ask := func(query string, want float64) {
			t.Helper()
			got, err := p.Query(t.Context(), fmt.Sprintf(query, fmt.Sprintf("%ds", int(time.Since(began).Seconds()))), time.Now())
			if err != nil || got.Value != want {
				t.Errorf("after %s: got %v, %v; want %v", time.Since(began), got.Value, err, want)
			}
		}
		f.said["a"], f.started["a"] = counts(1000, 0), began.Add(-time.Hour)
		time.Sleep(time.Second)
		ask(total, 0) // what it counted before is not the window's
		_, err := p.Query(t.Context(), fmt.Sprintf(bad, "1s"), time.Now())
		wantFault(t, err, Empty)

		time.Sleep(time.Second)
		f.said["a"] = counts(1010, 3) // the series of bad ones is born with the third
		ask(total, 13)
		ask(bad, 3)

		time.Sleep(time.Second)
		f.said["b"], f.started["b"] = counts(7, 1), time.Now() // began within the window: all it counted is
		ask(total, 21)
		ask(bad, 4)

		time.Sleep(time.Second)
		f.said["a"] = counts(4, 0) // its container began anew
		ask(total, 25)

		time.Sleep(time.Second)
		delete(f.said, "b") // what it answered it has answered
		ask(total, 25)
		ask(bad, 4)

		before := f.reads.Load()
		ask(total, 25)
		if f.reads.Load() != before {
			t.Error("the same look read the pods again")
		}

		began = time.Now() // the next step
		time.Sleep(2 * time.Second)
		f.said["a"] = counts(9, 0)
		ask(total, 5)
		_, err = p.Query(t.Context(), `requests_total{release="r1",code=~"5.."}`, time.Now())
		wantFault(t, err, Empty)
	})
}

func TestPodsRefuse(t *testing.T) {
	f := &fleet{said: map[string]string{
		"a": "# TYPE up gauge\nup{x=\"1\"} 1\nup{x=\"2\"} 2\n# TYPE d histogram\nd_bucket{le=\"0.25\"} 3\nd_bucket{le=\"+Inf\"} 5\nd_sum 1\nd_count 5\n",
	}}
	p := must(NewPods(PodsConfig{Namespace: "prod", Targets: f.targets, HTTP: f}))
	now := time.Now()
	for query, want := range map[string]any{
		`up{release="r1"}`:                                      Several,
		`up{release="r1",x="2"}`:                                2.0,
		`max(up{release="r1"})`:                                 2.0,
		`min(up{release="r1"})`:                                 1.0,
		`avg(up{release="r1"})`:                                 1.5,
		`sum(up{release="r1",x!="1",namespace="prod",pod="a"})`: 2.0,
		`sum(increase(up{release="r1"}[9s]))`:                   WrongKind,
		`sum(d_count{release="r1"}) - sum(d_bucket{release="r1",le="0.25"})`: 2.0,
		`sum(d_count{release="r1"}) - sum(d_bucket{release="r1",le="0.3"})`:  Partial,
		`sum(down{release="r1"})`: Empty,
	} {
		got, err := p.Query(t.Context(), query, now)
		if fault, ok := want.(Fault); ok {
			wantFault(t, err, fault)
		} else if err != nil || got.Value != want {
			t.Errorf("%s: got %v, %v; want %v", query, got.Value, err, want)
		}
	}
	missing, err := p.Missing(t.Context(), `sum(down{release="r1"}) + sum(d_count{release="r1"})`, now)
	if err != nil || len(missing) != 1 || missing[0] != "down" {
		t.Errorf("got %v, %v", missing, err)
	}
}

func TestPodsKeepFewPointsOfLongSteps(t *testing.T) {
	tr := &track{points: []point{{time.Unix(0, 0), 0}}}
	for i := 1; i <= 3*mostPoints; i++ {
		tr.grow(time.Unix(int64(i), 0), float64(i))
		tr.raw = float64(i)
	}
	if n := len(tr.points); n > mostPoints {
		t.Errorf("%d points", n)
	}
	if got := tr.increase(time.Unix(0, 0), time.Time{}); got != 3*mostPoints {
		t.Errorf("since the beginning: %v", got)
	}
	if got := tr.increase(time.Unix(3*mostPoints-10, 0), time.Time{}); got < 10 || got > 12 {
		t.Errorf("of the last ten: %v", got)
	}
}
