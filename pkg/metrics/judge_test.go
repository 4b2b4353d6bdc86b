package metrics

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/org/promote/pkg/verdict"
)

const errorsCheck = `
- name: errors
  type: ratio
  bad: sum(increase(requests{namespace="$namespace",release="$release",code=~"5..$"}[$window]))
  total: sum(increase(requests{namespace="$namespace",release="$release"}[${window}]))
  max: 0.01
`

var subject = Subject{Candidate: "new-1", Baseline: "old-1", Namespace: "prod", Service: "checkout"}

func mustParse(t *testing.T, text string) []Check {
	t.Helper()
	checks, err := ParseChecks([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return checks
}

// monitor answers by what the query holds; the first entry that matches all its words wins.
type monitor struct {
	mu      sync.Mutex
	asked   []string
	answers []reply
	missing []string
}

type reply struct {
	words string
	value float64
	err   error
}

func (m *monitor) Query(_ context.Context, query string, at time.Time) (Sample, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asked = append(m.asked, query)
next:
	for _, r := range m.answers {
		for word := range strings.FieldsSeq(r.words) {
			if !strings.Contains(query, word) {
				continue next
			}
		}
		return Sample{Value: r.value, At: at}, r.err
	}
	return Sample{}, &UnusableError{Fault: Empty}
}

func (m *monitor) Missing(context.Context, string, time.Time) ([]string, error) {
	return m.missing, nil
}

var start = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func window(elapsed time.Duration) Window { return Window{Since: start, Now: start.Add(elapsed)} }

func TestJudgeFillsTheQueries(t *testing.T) {
	m := &monitor{answers: []reply{{"5..$", 0, nil}, {"new-1", 100, nil}}}
	j := NewJudge(m, mustParse(t, errorsCheck), subject, Rules{MinRequests: 50, Alpha: 0.01})
	got := j.Observe(t.Context(), window(12300*time.Millisecond))
	if len(got) != 1 || got[0].Outcome != verdict.Pass || got[0].Check != "errors" {
		t.Fatalf("got %v", got)
	}
	want := `sum(increase(requests{namespace="prod",release="new-1",code=~"5..$"}[13s]))`
	if got[0].Query != want {
		t.Errorf("the query is %s, want %s", got[0].Query, want)
	}
}

func TestJudgeOutcomes(t *testing.T) {
	compare := strings.Replace(errorsCheck, "max: 0.01", "compare: true", 1)
	value := "- {name: p99, type: value, query: 'p99{release=\"$release\"}', max: 0.5}"
	for _, c := range []struct {
		name    string
		checks  string
		answers []reply
		elapsed time.Duration
		full    bool
		want    verdict.Outcome
	}{
		{"no bad series and a total pass", errorsCheck, []reply{{"5..", 0, &UnusableError{Fault: Empty}}, {"new-1", 60, nil}}, time.Minute, false, verdict.Pass},
		{"bad answers fail", errorsCheck, []reply{{"5..", 10, nil}, {"new-1", 20, nil}}, time.Second, false, verdict.Fail},
		{"no series at all are no data", errorsCheck, nil, time.Minute, false, verdict.NoData},
		{"but not within the first scrapes", errorsCheck, nil, time.Second, false, verdict.NotEnough},
		{"NaN is no data even then", errorsCheck, []reply{{"new-1", 0, &UnusableError{Fault: NotANumber}}}, time.Second, false, verdict.NoData},
		{"several series are broken", errorsCheck, []reply{{"new-1", 0, &UnusableError{Fault: Several}}}, time.Second, false, verdict.Broken},
		{"a monitor that is down is no data", errorsCheck, []reply{{"new-1", 0, errors.New("connection refused")}}, time.Second, false, verdict.NoData},
		{"a monitor that is down for the bad ones alone is no data", errorsCheck, []reply{{"5..", 0, errors.New("HTTP 500")}, {"new-1", 60, nil}}, time.Minute, false, verdict.NoData},
		{"a negative count is broken", errorsCheck, []reply{{"5..", -1, nil}, {"new-1", 60, nil}}, time.Minute, false, verdict.Broken},
		{"worse than the baseline fails", compare, []reply{{"new-1 5..", 30, nil}, {"new-1", 60, nil}, {"old-1 5..", 1, nil}, {"old-1", 600, nil}}, time.Minute, false, verdict.Fail},
		{"as good as the baseline passes", compare, []reply{{"new-1 5..", 0, nil}, {"new-1", 60, nil}, {"old-1 5..", 1, nil}, {"old-1", 600, nil}}, time.Minute, false, verdict.Pass},
		{"a baseline without data is no data", compare, []reply{{"new-1", 60, nil}}, time.Minute, false, verdict.NoData},
		{"on a full step the baseline is not asked, and without its record there is nothing to compare with", compare, []reply{{"new-1 5..", 0, nil}, {"new-1", 60, nil}}, time.Minute, true, verdict.NotEnough},
		{"a value within its bound passes", value, []reply{{"new-1", 0.2, nil}}, time.Second, false, verdict.Pass},
		{"a value beyond it fails", value, []reply{{"new-1", 0.7, nil}}, time.Second, false, verdict.Fail},
		{"a value that is missing is no data", value, nil, time.Minute, false, verdict.NoData},
	} {
		t.Run(c.name, func(t *testing.T) {
			j := NewJudge(&monitor{answers: c.answers}, mustParse(t, c.checks), subject, Rules{MinRequests: 50, Alpha: 0.01, Warmup: 10 * time.Second})
			w := window(c.elapsed)
			w.Full = c.full
			if got := j.Observe(t.Context(), w)[0]; got.Outcome != c.want || got.Reason == "" {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestDataThatStopsIsNoDataEvenWithinTheWarmup(t *testing.T) {
	m := &monitor{answers: []reply{{"5..", 0, nil}, {"new-1", 60, nil}}}
	j := NewJudge(m, mustParse(t, errorsCheck), subject, Rules{MinRequests: 50, Alpha: 0.01, Warmup: time.Hour})
	j.Observe(t.Context(), window(time.Second))
	m.answers = nil
	if got := j.Observe(t.Context(), window(2*time.Second))[0]; got.Outcome != verdict.NoData {
		t.Errorf("got %s", got)
	}
}

func TestProve(t *testing.T) {
	two := errorsCheck + "- {name: p99, type: value, query: 'p99{release=\"$release\"}', max: 0.5}\n"
	for _, c := range []struct {
		name    string
		answers []reply
		missing []string
		want    []string
	}{
		{"queries that answer for the baseline are proven", []reply{{"old-1 5..", 3, nil}, {"old-1 requests", 500, nil}, {"old-1 p99", 0.2, nil}}, nil, nil},
		{"no bad request yet is fine if the metric exists", []reply{{"5..", 0, &UnusableError{Fault: Empty}}, {"old-1 requests", 500, nil}, {"old-1 p99", 0.2, nil}}, nil, nil},
		{"a misspelt name is not", []reply{{"5..", 0, &UnusableError{Fault: Empty}}, {"old-1 requests", 500, nil}, {"old-1 p99", 0.2, nil}}, []string{"reqests"}, []string{"knows nothing named reqests"}},
		{"all checks' problems come at once", nil, nil, []string{`check "errors"`, `check "p99"`, "old-1"}},
		{"a query that answers the same for both is not", []reply{{"5..", 0, nil}, {"requests", 500, nil}, {"old-1 p99", 0.2, nil}}, nil, []string{"does not tell the releases apart"}},
		{"a monitor that is down proves nothing", []reply{{"1", 0, errors.New("connection refused")}}, nil, []string{"connection refused"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			j := NewJudge(&monitor{answers: c.answers, missing: c.missing}, mustParse(t, two), subject, Rules{MinRequests: 50, Alpha: 0.01})
			err := j.Prove(t.Context(), start)
			if len(c.want) == 0 && err != nil {
				t.Fatal(err)
			}
			for _, w := range c.want {
				if err == nil || !strings.Contains(err.Error(), w) {
					t.Errorf("got %v, want %q", err, w)
				}
			}
		})
	}
}

func TestQueriesOfAServiceWithoutAReleaseAreAskedOnce(t *testing.T) {
	checks := errorsCheck + "- {name: slow, type: value, query: 'max(latency{release=\"$release\"})', max: 2}\n"
	for name, c := range map[string]struct {
		answers []reply
		wrong   []string // the checks that are, with a word of why
	}{
		"nothing is known of it yet": {nil, []string{"", ""}},
		"one may not be asked":       {[]reply{{words: "latency", err: &UnusableError{Fault: Denied, Detail: "no token"}}}, []string{"", "no token"}},
		"nobody is there":            {[]reply{{err: errors.New("connection refused")}}, []string{"connection refused", "connection refused"}},
		"one gives several series":   {[]reply{{words: "5..$", err: &UnusableError{Fault: Several}}}, []string{"`bad`", ""}},
	} {
		t.Run(name, func(t *testing.T) {
			m := &monitor{answers: c.answers}
			proofs := NewJudge(m, mustParse(t, checks), Subject{Candidate: "none-yet", Namespace: "prod", Service: "checkout"}, Rules{}).Answers(t.Context(), start)
			if len(proofs) != 2 || len(m.asked) != 3 {
				t.Fatalf("got %v after %d questions, want 2 after 3", proofs, len(m.asked))
			}
			for i, p := range proofs {
				if (p.Err == nil) != (c.wrong[i] == "") || p.Err != nil && !strings.Contains(p.Err.Error(), c.wrong[i]) {
					t.Errorf("%s: %v, want %q", p.Check, p.Err, c.wrong[i])
				}
			}
		})
	}
}

func TestEvidenceIsCarriedFromStepToStep(t *testing.T) {
	compare := strings.Replace(errorsCheck, "max: 0.01", "compare: true", 1)
	m := &monitor{answers: []reply{{"new-1 5..", 3, nil}, {"new-1", 60, nil}, {"old-1 5..", 0, nil}, {"old-1", 240, nil}}}
	j := NewJudge(m, mustParse(t, compare), subject, Rules{MinRequests: 50, Alpha: 0.01})
	for step, want := range []verdict.Outcome{verdict.Pass, verdict.Fail} {
		since := start.Add(time.Duration(step) * time.Minute)
		if got := j.Observe(t.Context(), Window{Since: since, Now: since.Add(time.Minute)}); got[0].Outcome != want {
			t.Errorf("step %d: got %s, want %s", step+1, got[0], want)
		}
	}
}

// late is a monitor whose run ends while it answers.
type late struct {
	monitor
	end func()
}

func (m *late) Query(ctx context.Context, query string, at time.Time) (Sample, error) {
	defer m.end()
	return m.monitor.Query(ctx, query, at)
}

func TestALookThatIsBrokenOffIsNoEvidence(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	m := &late{monitor{answers: []reply{{"5..", 60, nil}, {"new-1", 60, nil}}}, func() {}}
	j := NewJudge(m, mustParse(t, errorsCheck), subject, Rules{MinRequests: 50, Alpha: 0.01})
	m.end = cancel
	if got := j.Observe(ctx, window(time.Second))[0]; got.Outcome != verdict.NoData {
		t.Errorf("got %s", got)
	}
	m.end, m.answers = func() {}, []reply{{"5..", 0, nil}, {"new-1", 60, nil}}
	if got := j.Observe(t.Context(), window(2*time.Second))[0]; got.Outcome != verdict.Pass {
		t.Errorf("what was broken off is held against the candidate: %s", got)
	}
}
