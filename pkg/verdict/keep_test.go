package verdict

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// across takes evidence through JSON into another run.
func across(t *testing.T, r Ratio, e *Evidence) *Evidence {
	t.Helper()
	raw, err := json.Marshal(e.Keep())
	if err != nil {
		t.Fatal(err)
	}
	if len(raw) > 2000 {
		t.Errorf("the evidence of one check takes %d bytes; the state that keeps it is bounded", len(raw))
	}
	var k Kept
	if err := json.Unmarshal(raw, &k); err != nil {
		t.Fatal(err)
	}
	again, err := r.Resume(k)
	if err != nil {
		t.Fatal(err)
	}
	return again
}

func TestEvidenceThatIsKeptIsWorthWhatItWas(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	both := Ratio{Max: new(0.2), Compare: true, MinRequests: 1, Alpha: 0.01}
	for name, r := range map[string]Ratio{"a bound": bounded(0.2), "a comparison": compared, "both": both} {
		t.Run(name, func(t *testing.T) {
			for range 50 {
				whole, kept := r.Begin(Counts{2, 400}), r.Begin(Counts{2, 400})
				for step := range 4 {
					if step > 0 {
						kept = across(t, r, kept)
						whole.Next()
						kept.Next()
					}
					var c, b Counts
					for range 1 + random.IntN(20) {
						c = c.plus(Counts{draw(random, 3, 0.15), 3})
						b = b.plus(Counts{draw(random, 7, 0.1), 7})
						baseline := &b
						if step == 3 {
							baseline = nil
						}
						if was, is := r.Judge(whole, c, baseline), r.Judge(kept, c, baseline); was.Outcome != is.Outcome || was.Reason != is.Reason {
							t.Fatalf("step %d: in one run %s, in two %s", step, was, is)
						}
					}
				}
				for i, pair := range [][2]*bets{{whole.compared, kept.compared}, {whole.alone, kept.alone}, {whole.bounded, kept.bounded}} {
					if pair[0] != nil && pair[0].worth() != pair[1].worth() {
						t.Fatalf("game %d is worth %v in one run and %v in two", i, pair[0].worth(), pair[1].worth())
					}
				}
			}
		})
	}
}

// TestNumberOfResumptionsDoesNotRaiseFalseAlarms resumes healthy runs at the bound ten times. With an alpha for each part, a third
// of the runs may fail.
func TestNumberOfResumptionsDoesNotRaiseFalseAlarms(t *testing.T) {
	const runs, alpha = 400, 0.05
	r := Ratio{Max: new(0.05), MinRequests: 1, Alpha: alpha}
	play := func(random *rand.Rand, next func(*Evidence) *Evidence) bool {
		e := r.Begin(Counts{})
		for range 10 {
			e = next(e)
			e.Next()
			var c Counts
			for range 40 {
				c = c.plus(Counts{draw(random, 5, 0.05), 5})
				if r.Judge(e, c, nil).Outcome == Fail {
					return true
				}
			}
		}
		return false
	}
	count := func(next func(*Evidence) *Evidence) (alarms int) {
		random := rand.New(rand.NewPCG(5, 6))
		for range runs {
			if play(random, next) {
				alarms++
			}
		}
		return alarms
	}
	carried := count(func(e *Evidence) *Evidence { return across(t, r, e) })
	fresh := count(func(*Evidence) *Evidence { return r.Begin(Counts{}) })
	t.Logf("of %d healthy runs %d failed with evidence that is carried, %d with evidence that begins afresh", runs, carried, fresh)
	if carried > alarmsAllowed(runs, alpha) {
		t.Errorf("%d of %d healthy runs failed; alpha allows %d", carried, runs, alarmsAllowed(runs, alpha))
	}
	if fresh <= alarmsAllowed(runs, alpha) {
		t.Errorf("afresh only %d of %d failed: the test does not show what carrying is for", fresh, runs)
	}
}

func TestABrokenBoundOfZeroStaysBroken(t *testing.T) {
	r := bounded(0)
	e := r.Begin(Counts{})
	r.Judge(e, Counts{1, 9}, nil)
	if got := r.Judge(across(t, r, e), Counts{0, 90}, nil); got.Outcome != Fail {
		t.Errorf("got %s", got)
	}
}

func TestEvidenceThatCannotBeIsNotGoneOnWith(t *testing.T) {
	r := Ratio{Max: new(0.1), Compare: true, MinRequests: 1, Alpha: 0.01}
	for name, c := range map[string]struct {
		spoil func(*Kept)
		says  string
	}{
		"of another bound":                   {func(k *Kept) { k.Max = new(0.2) }, "another rule"},
		"of no bound":                        {func(k *Kept) { k.Max = nil }, "another rule"},
		"of a rule that does not compare":    {func(k *Kept) { k.Compare = false }, "another rule"},
		"with a record of more bad than all": {func(k *Kept) { k.Record = Counts{90, 10} }, "record"},
		"with less money than none":          {func(k *Kept) { k.Bounded.Money[0] = -1 }, "no money"},
		"with money without end":             {func(k *Kept) { k.Bounded.Kept = math.Inf(1) }, "no money"},
		"with no money at all":               {func(k *Kept) { k.Compared.Money, k.Compared.Kept = make([]float64, 3), 0 }, "worth 0"},
		"with other effects":                 {func(k *Kept) { k.Compared.Money = k.Compared.Money[1:] }, "other effects"},
		"without a game that is played":      {func(k *Kept) { k.Compared = nil }, "other effects"},
		"with a limit that is no rate":       {func(k *Kept) { k.Alone, k.Limit = k.Bounded, 1.5 }, "limit"},
		"with a game renewed backwards":      {func(k *Kept) { k.Bounded.Renewed = -3 }, "renewed"},
	} {
		t.Run(name, func(t *testing.T) {
			k := r.Begin(Counts{1, 100}).Keep()
			c.spoil(&k)
			if _, err := r.Resume(k); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want an error with %q", err, c.says)
			}
		})
	}
}
