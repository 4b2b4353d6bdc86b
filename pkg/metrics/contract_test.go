package metrics

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// situation is what a monitor has to say.
type situation string

// What all monitors can get into. What each of them says then is in its double.
const (
	hasValue    situation = "a value"
	hasZero     situation = "zero"
	hasNothing  situation = "no series"
	hasNaN      situation = "a value that is none"
	hasSeveral  situation = "several series"
	isStale     situation = "an answer about another time"
	isFilling   situation = "a newest bucket that is still filling"
	isPartial   situation = "an answer that says that it is not whole"
	isBadQuery  situation = "a query it cannot read"
	isMalformed situation = "half an answer"
)

// The numbers that doubles answer with; what is in a bucket that is still filling must never be seen.
const (
	theValue   = 12.5
	theFilling = 999
)

// double stands for one monitor. It refuses what the real one refuses.
type double struct {
	// secrets are the credentials that open gives the adapter.
	secrets []string
	// address is where the adapter asks, for instance prometheus.test:80; also is another place, if it asks at two.
	address, also string
	// query is one that the double knows.
	query string
	open  func(t *testing.T, inner http.RoundTripper) Querier
	// admits says whether a request carries the right credentials.
	admits func(r *http.Request, body string) error
	// answer gives an answer's status and body.
	answer func(s situation, r *http.Request, body string) (int, string)
	// lacks are situations that this monitor cannot get into, and why.
	lacks map[situation]string
	// faults replace those that the contract names.
	faults map[situation]Fault
	// throttled is the header that asks for a pause.
	throttled string
	// kind is the content type of answers.
	kind string
	// redirected is what is said of a redirect.
	redirected string
}

// doubles are all monitors; the file of each has its own.
func doubles() map[string]double {
	return map[string]double{
		"prometheus with a token":     prometheusDouble(PrometheusConfig{Token: "bearer-5ecret-1"}),
		"prometheus with a password":  prometheusDouble(PrometheusConfig{User: "ada", Token: "basic-5ecret-2"}),
		"prometheus with a signature": signedPrometheusDouble(),
		"datadog":                     datadogDouble(),
		"newrelic":                    newRelicDouble(),
		"cloudwatch":                  cloudwatchDouble(),
		"pods":                        podsDouble(),
	}
}

func TestEveryMonitorKeepsTheContract(t *testing.T) {
	faults := map[situation]Fault{
		hasNothing: Empty, hasNaN: NotANumber, hasSeveral: Several, isStale: Stale, isPartial: Partial, isBadQuery: WrongKind,
	}
	for name, d := range doubles() {
		for _, s := range []situation{hasValue, hasZero, hasNothing, hasNaN, hasSeveral, isStale, isFilling, isPartial, isBadQuery, isMalformed} {
			if d.lacks[s] != "" {
				continue
			}
			run(t, d, name+" with "+string(s), func(t *testing.T, monitor Querier, server *scripted) {
				server.say(func(r *http.Request, body string) (int, http.Header, string) {
					status, text := d.answer(s, r, body)
					return status, nil, text
				})
				got, err := monitor.Query(t.Context(), d.query, time.Now())
				fault := faults[s]
				if d.faults[s] != "" {
					fault = d.faults[s]
				}
				switch {
				case fault != "":
					wantFault(t, err, fault)
				case s == isMalformed:
					wantNoAnswer(t, err, "")
				case s == hasZero && (err != nil || got.Value != 0), s != hasZero && (err != nil || got.Value != theValue):
					t.Errorf("got %v, %v", got, err)
				}
			})
		}
	}
}

func TestEveryMonitorBearsWhatServersDo(t *testing.T) {
	for name, d := range doubles() {
		good := func(r *http.Request, body string) (int, http.Header, string) {
			status, text := d.answer(hasValue, r, body)
			return status, nil, text
		}
		refusing := func(status int) script {
			return func(r *http.Request, body string) (int, http.Header, string) { return status, nil, echo(r, body) }
		}
		pausing := func(seconds int) script {
			return func(r *http.Request, body string) (int, http.Header, string) {
				return http.StatusTooManyRequests, http.Header{d.throttled: {fmt.Sprint(seconds)}}, echo(r, body)
			}
		}
		for _, c := range []struct {
			name  string
			say   []script
			fault Fault
			text  string // within any other error
			value bool
			took  [2]time.Duration // between
		}{
			{name: "401 is denied", say: []script{refusing(401)}, fault: Denied},
			{name: "403 is denied", say: []script{refusing(403)}, fault: Denied},
			{name: "500 is no answer", say: []script{refusing(500)}, text: "500", took: [2]time.Duration{0, QueryTime}},
			{name: "a short pause is waited for", say: []script{pausing(3), good}, value: true, took: [2]time.Duration{3 * time.Second, 4 * time.Second}},
			{name: "a pause beyond the query's time is not", say: []script{pausing(3600)}, text: "429", took: [2]time.Duration{0, QueryTime}},
			{name: "silence ends", say: []script{silent}, text: "no answer within", took: [2]time.Duration{QueryTime, QueryTime + time.Second}},
			{name: "a page of another server is none", say: []script{func(*http.Request, string) (int, http.Header, string) {
				return 200, http.Header{"Content-Type": {"text/html"}}, "<html>It works!</html>"
			}}},
		} {
			run(t, d, name+": "+c.name, func(t *testing.T, monitor Querier, server *scripted) {
				server.say(c.say...)
				began := time.Now()
				got, err := monitor.Query(t.Context(), d.query, began)
				took := time.Since(began)
				switch {
				case c.fault != "":
					wantFault(t, err, c.fault)
				case !c.value:
					wantNoAnswer(t, err, c.text)
				case err != nil || got.Value != theValue:
					t.Errorf("got %v, %v", got, err)
				}
				if took < c.took[0] || took > max(c.took[1], time.Second) {
					t.Errorf("it took %s, want %s to %s", took, c.took[0], c.took[1])
				}
			})
		}
	}
}

func TestNoMonitorFollowsARedirectToAnotherHost(t *testing.T) {
	for name, d := range doubles() {
		for _, status := range []int{301, 302, 303, 307, 308} {
			synctest.Test(t, func(t *testing.T) {
				net := &wires{}
				elsewhere := 0
				net.serve(t, "elsewhere.test:80", http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere++ }))
				server := &scripted{t: t, double: d}
				server.serve(net)
				server.say(func(r *http.Request, _ string) (int, http.Header, string) {
					return status, http.Header{"Location": {"http://elsewhere.test/?" + r.URL.RawQuery}}, ""
				})
				_, err := d.open(t, net.transport(t)).Query(t.Context(), d.query, time.Now())
				wantNoAnswer(t, err, d.redirected)
				server.wantNoSecret(err)
				if elsewhere > 0 {
					t.Errorf("%s, %d: the other host was asked %d times", name, status, elsewhere)
				}
			})
		}
	}
}

// run opens a monitor on a double of its server, within a bubble.
func run(t *testing.T, d double, name string, test func(*testing.T, Querier, *scripted)) {
	t.Run(name, func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			net, server := &wires{}, &scripted{t: t, double: d}
			server.serve(net)
			server.monitor = d.open(t, net.transport(t))
			test(t, &unveiling{server, server.monitor}, server)
		})
	})
}

// unveiling is a monitor whose every error is looked through for credentials.
type unveiling struct {
	server *scripted
	inner  Querier
}

func (u *unveiling) Query(ctx context.Context, query string, at time.Time) (Sample, error) {
	s, err := u.inner.Query(ctx, query, at)
	u.server.wantNoSecret(err)
	return s, err
}

func wantFault(t *testing.T, err error, fault Fault) {
	t.Helper()
	var unusable *UnusableError
	if !errors.As(err, &unusable) || unusable.Fault != fault {
		t.Errorf("got %v, want the fault %q", err, fault)
	}
}

// wantNoAnswer wants an error that is no UnusableError, with a text.
func wantNoAnswer(t *testing.T, err error, text string) {
	t.Helper()
	var unusable *UnusableError
	if err == nil || errors.As(err, &unusable) || !strings.Contains(err.Error(), text) {
		t.Errorf("got %v, want an error of no answer with %q", err, text)
	}
}
