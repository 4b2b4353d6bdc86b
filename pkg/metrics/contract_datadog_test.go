package metrics

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

func datadogDouble() double {
	return double{
		secrets: []string{"dd-api-5ecret-4", "dd-app-5ecret-5"}, address: "datadog.test:80", query: "sum:requests{release:r1}.as_count()[120s]",
		throttled: "X-RateLimit-Reset", kind: "application/json", redirected: "it redirects to http://elsewhere.test",
		open: func(_ *testing.T, inner http.RoundTripper) Querier {
			return must(NewDatadog(DatadogConfig{URL: "http://datadog.test", APIKey: "dd-api-5ecret-4", AppKey: "dd-app-5ecret-5", HTTP: inner}))
		},
		admits: func(r *http.Request, _ string) error {
			switch {
			case r.Method != http.MethodGet || r.URL.Path != "/api/v1/query":
				return errors.New("not the path of queries: " + r.URL.Path)
			case r.Header.Get("DD-API-KEY") != "dd-api-5ecret-4" || r.Header.Get("DD-APPLICATION-KEY") != "dd-app-5ecret-5":
				return errors.New("the keys are wrong")
			case strings.Contains(r.FormValue("query"), "["):
				return errors.New("Datadog knows no window: " + r.FormValue("query"))
			}
			return nil
		},
		answer: datadogAnswer,
		lacks:  map[situation]string{hasNaN: "JSON has none, and a point without a value is not there", isPartial: "Datadog does not say it"},
	}
}

// datadogAnswer has buckets of 20 s, as Datadog has within the hour.
func datadogAnswer(s situation, r *http.Request, _ string) (int, string) {
	from, _ := strconv.ParseInt(r.FormValue("from"), 10, 64)
	to, _ := strconv.ParseInt(r.FormValue("to"), 10, 64)
	// The oldest bucket began before the window and the newest is still filling, always.
	point := func(at int64, value string) string { return fmt.Sprintf("[%d.0,%s]", at*1000, value) }
	series := func(values ...string) string {
		points := []string{point(from-10, "999")}
		for i, v := range values {
			points = append(points, point(from+int64(20*i), v))
		}
		points = append(points, point(from+int64(20*len(values)), "null"), point(to-10, "999"))
		return `{"metric":"requests","scope":"release:r1","interval":20,"pointlist":[` + strings.Join(points, ",") + `]}`
	}
	status, to0, list := `"ok"`, to, []string{series("10.5", "2")}
	switch s {
	case hasZero:
		list = []string{series("0")}
	case hasNothing:
		list = nil
	case hasSeveral:
		list = append(list, list[0])
	case isStale:
		to0 -= 600
	case isFilling:
		list = []string{series("12", "0.5")}
	case isBadQuery:
		return 400, `{"errors":["Error parsing query: unable to parse sum:"]}`
	}
	text := fmt.Sprintf(`{"status":%s,"res_type":"time_series","from_date":%d,"to_date":%d,"series":[%s]}`, status, from*1000, to0*1000, strings.Join(list, ","))
	if s == isMalformed {
		return 200, text[:len(text)/2]
	}
	return 200, text
}

func TestDatadogMeasuresWithItsNewestCompleteBucket(t *testing.T) {
	d := datadogDouble()
	ask := func(t *testing.T, monitor Querier, server *scripted, body string) (Sample, error) {
		server.say(func(r *http.Request, _ string) (int, http.Header, string) {
			return 200, nil, fmt.Sprintf(body, time.Now().UnixMilli(), time.Now().Add(-40*time.Second).UnixMilli())
		})
		return monitor.Query(t.Context(), "p99:latency{release:r1}", time.Now())
	}
	run(t, d, "fresh", func(t *testing.T, monitor Querier, server *scripted) {
		got, err := ask(t, monitor, server, `{"status":"ok","to_date":%[1]d,"series":[{"interval":20,"pointlist":[[%[2]d,0.25],[%[1]d,9]]}]}`)
		if err != nil || got.Value != 0.25 {
			t.Errorf("got %v, %v", got, err)
		}
	})
	run(t, d, "old", func(t *testing.T, monitor Querier, server *scripted) {
		_, err := ask(t, monitor, server, `{"status":"ok","to_date":%[1]d,"from_date":%[2]d,"series":[{"interval":20,"pointlist":[[1000,0.25]]}]}`)
		wantFault(t, err, Stale)
	})
	run(t, d, "an error within a 200", func(t *testing.T, monitor Querier, server *scripted) {
		_, err := ask(t, monitor, server, `{"status":"error","error":"query timed out","to_date":%[1]d,"from_date":%[2]d}`)
		wantNoAnswer(t, err, "query timed out")
	})
	run(t, d, "what can't be read", func(t *testing.T, monitor Querier, server *scripted) {
		_, err := ask(t, monitor, server, `{"status":"ok","to_date":%[1]d,"from_date":%[2]d,"series":[{"pointlist":"none"}]}`)
		wantNoAnswer(t, err, "none of Datadog's")
	})
}

func TestDatadogRefusesWhatItCannotAddUp(t *testing.T) {
	run(t, datadogDouble(), "a measurement over a window", func(t *testing.T, monitor Querier, _ *scripted) {
		_, err := monitor.Query(t.Context(), "avg:latency{release:r1}[60s]", time.Now())
		wantFault(t, err, WrongKind)
	})
}

func TestDatadogConfigs(t *testing.T) {
	_, err := NewDatadog(DatadogConfig{Site: "datadog.com", URL: "api"})
	for _, want := range []string{`no Datadog site "datadog.com"`, "datadoghq.eu", "http://", "an application key"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
