package metrics

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/org/promote/pkg/verdict"
)

// halves is a run that is held after some looks, and the monitor that it asked.
func halves(t *testing.T) (*monitor, Kept) {
	t.Helper()
	m := &monitor{answers: []reply{{"new-1 5..", 3, nil}, {"new-1", 60, nil}, {"old-1 5..", 0, nil}, {"old-1", 240, nil}}}
	j := NewJudge(m, mustParse(t, comparing), subject, Rules{MinRequests: 50, Alpha: 0.01})
	if got := j.Observe(t.Context(), window(time.Minute))[0]; got.Outcome != verdict.Pass {
		t.Fatalf("got %s", got)
	}
	raw, err := json.Marshal(j.Keep())
	if err != nil {
		t.Fatal(err)
	}
	var k Kept
	if err := json.Unmarshal(raw, &k); err != nil {
		t.Fatal(err)
	}
	return m, k
}

var comparing = strings.Replace(errorsCheck, "max: 0.01", "compare: true", 1)

// TestAResumedRunNeedsWhatIsMissing asks the same again in another run: with what the first had seen it fails, afresh it passes.
func TestAResumedRunNeedsWhatIsMissing(t *testing.T) {
	m, kept := halves(t)
	reached := subject
	reached.Reached = true
	later := start.Add(time.Hour)
	for _, c := range []struct {
		name   string
		checks string
		kept   Kept
		want   verdict.Outcome
		afresh string
	}{
		{"with the evidence", comparing, kept, verdict.Fail, ""},
		{"a longer look changes nothing about the question", strings.Replace(comparing, "compare: true", "compare: true\n  min-requests: 60", 1), kept, verdict.Fail, ""},
		{"without any", comparing, nil, verdict.Pass, `check "errors": no evidence of it was kept`},
		{"of other requests", strings.ReplaceAll(comparing, "requests{", "calls{"), kept, verdict.Pass, "its queries are others now"},
		{"under another rule", strings.Replace(comparing, "compare: true", "max: 0.5", 1), kept, verdict.Pass, "another rule"},
	} {
		t.Run(c.name, func(t *testing.T) {
			j := NewJudge(m, mustParse(t, c.checks), reached, Rules{MinRequests: 50, Alpha: 0.01})
			if err := j.Prove(t.Context(), later); err != nil {
				t.Fatal(err)
			}
			afresh := j.Resume(c.kept)
			if c.afresh == "" && len(afresh) > 0 || c.afresh != "" && (len(afresh) != 1 || !strings.Contains(afresh[0].Error(), c.afresh)) {
				t.Errorf("begins afresh: %v, want %q", afresh, c.afresh)
			}
			w := Window{Since: later, Now: later.Add(time.Minute)}
			got := j.Observe(t.Context(), w)
			if got[0].Outcome != c.want {
				t.Errorf("got %s, want %s", got[0], c.want)
			}
			// A file of the run gives the same verdict again.
			raw, err := json.Marshal(j.Basis())
			if err != nil {
				t.Fatal(err)
			}
			var b Basis
			if err := json.Unmarshal(raw, &b); err != nil {
				t.Fatal(err)
			}
			again, _ := b.Rejudge(b.Checks)
			if is := again.Observe(w, got); is[0].Outcome != c.want {
				t.Errorf("judged again: %s, want %s", is[0], c.want)
			}
		})
	}
}

func TestACandidateThatClientsHaveReachedMayHaveAsManyRequests(t *testing.T) {
	m := &monitor{answers: []reply{{"5..", 0, nil}, {"requests", 500, nil}}}
	reached := subject
	reached.Reached = true
	if err := NewJudge(m, mustParse(t, errorsCheck), reached, Rules{MinRequests: 50, Alpha: 0.01}).Prove(t.Context(), start); err != nil {
		t.Error(err)
	}
	if err := NewJudge(m, mustParse(t, errorsCheck), subject, Rules{MinRequests: 50, Alpha: 0.01}).Prove(t.Context(), start); err == nil {
		t.Error("a query that does not tell the releases apart is proven for a candidate that nobody has reached")
	}
}
