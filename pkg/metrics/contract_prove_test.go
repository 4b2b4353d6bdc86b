package metrics

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/smithy-go/encoding/cbor"
)

// proof is how a monitor's queries are proven: what is bad holds the word broken, and lookup answers the question whether
// the monitor has ever heard of what a query reads; "" means that this was another question.
type proof struct {
	bad, total string
	lookup     func(known bool, r *http.Request, asked string) string
	// unknown is what the error names.
	unknown string
}

func proofs() map[string]proof {
	return map[string]proof{
		"prometheus with a token": {
			bad: `sum(increase(broken_total{release="$release"}[$window]))`, total: `sum(increase(requests_total{release="$release"}[$window]))`,
			unknown: "broken_total",
			lookup: func(known bool, _ *http.Request, asked string) string {
				switch {
				case !strings.Contains(asked, "count(broken_total)"):
					return ""
				case known:
					return vector(time.Now(), "3")
				}
				return vector(time.Now())
			},
		},
		"datadog": {
			bad: "sum:requests.broken{release:$release}.as_count()[$window]", total: "sum:requests{release:$release}.as_count()[$window]",
			unknown: "requests.broken",
			lookup: func(known bool, r *http.Request, asked string) string {
				s := map[bool]situation{true: hasValue, false: hasNothing}[known]
				if !strings.Contains(asked, "avg:requests.broken{*}") {
					return ""
				}
				_, text := datadogAnswer(s, r, "")
				return text
			},
		},
		"newrelic": {
			bad:   "SELECT count(*) FROM Broken WHERE release = '$release' SINCE $window AGO",
			total: "SELECT count(*) FROM Transaction WHERE release = '$release' SINCE $window AGO", unknown: "Broken",
			lookup: func(known bool, _ *http.Request, asked string) string {
				if !strings.Contains(asked, "SHOW EVENT TYPES") {
					return ""
				}
				name := map[bool]string{true: "Broken", false: "Other"}[known]
				return fmt.Sprintf(`{"data":{"actor":{"account":{"nrql":{"results":[{"eventType":%q},{"eventType":"Transaction"}]}}}}}`, name)
			},
		},
		"cloudwatch": {
			bad:   strings.Replace(strings.Replace(oneMetric, "Requests", "broken", 1), "r1", "$release", 1) + "[$window]",
			total: strings.Replace(oneMetric, "r1", "$release", 1) + "[$window]", unknown: "Checkout broken",
			lookup: func(known bool, r *http.Request, _ string) string {
				if !strings.HasSuffix(r.URL.Path, "/operation/ListMetrics") {
					return ""
				}
				list := cbor.List{}
				if known {
					list = append(list, cbor.Map{"MetricName": cbor.String("broken"), "Namespace": cbor.String("Checkout")})
				}
				return string(cbor.Encode(cbor.Map{"Metrics": list}))
			},
		},
		"pods": {
			bad: `sum(increase(requests_total{release="$release",code="broken"}[$window]))`, total: `sum(increase(requests_total{release="$release"}[$window]))`,
			lookup: func(bool, *http.Request, string) string { return "requests_total{code=\"200\"} 7\n" },
		},
		"pods with a metric that is misspelt": {
			bad: `sum(increase(request_total{release="$release",code="broken"}[$window]))`, total: `sum(increase(requests_total{release="$release"}[$window]))`,
			unknown: "request_total", lookup: func(bool, *http.Request, string) string { return "requests_total{code=\"200\"} 7\n" },
		},
	}
}

func TestEveryMonitorsQueriesAreProvenBeforeTrafficMoves(t *testing.T) {
	for name, p := range proofs() {
		for _, known := range []bool{true, false} {
			monitor, misspelt := strings.CutSuffix(name, " with a metric that is misspelt")
			if known && misspelt || !known && p.unknown == "" {
				continue
			}
			d := doubles()[monitor]
			run(t, d, fmt.Sprintf("%s, known %v", name, known), func(t *testing.T, _ Querier, server *scripted) {
				server.say(func(r *http.Request, body string) (int, http.Header, string) {
					asked, _ := url.QueryUnescape(r.URL.RawQuery + " " + strings.ReplaceAll(body, "+", " "))
					if text := p.lookup(known, r, asked); text != "" {
						return 200, nil, text
					}
					s := hasValue
					if strings.Contains(asked+body, "broken") || strings.Contains(asked+body, "Broken") || strings.Contains(asked+body, "new-1") {
						s = hasNothing
					}
					status, text := d.answer(s, r, body)
					return status, nil, text
				})
				checks := mustParse(t, fmt.Sprintf("- {name: errors, type: ratio, max: 0.01, bad: %q, total: %q}", p.bad, p.total))
				err := NewJudge(server.monitor, checks, Subject{Candidate: "new-1", Baseline: "r1", Namespace: "prod", Service: "checkout"}, Rules{MinRequests: 50, Alpha: 0.01}).
					Prove(t.Context(), time.Now())
				switch {
				case known && err != nil:
					t.Error(err)
				case !known && (err == nil || !strings.Contains(err.Error(), "knows nothing named "+p.unknown)):
					t.Errorf("got %v, want that nothing is named %s", err, p.unknown)
				}
				server.wantNoSecret(err)
			})
		}
	}
}
