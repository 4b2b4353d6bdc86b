package evidence

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const repository = "registry.example/acme/checkout"

var (
	digest = "sha256:" + strings.Repeat("d", 64)
	commit = strings.Repeat("c", 40)
	tree   = strings.Repeat("e", 40)
	// noon is when all of the tests' statements are made, give or take.
	noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
)

// record is a statement of a gate some minutes after noon. Its id tells what it is.
func record(gate, result string, minute int, change ...func(*Record)) Record {
	r := Record{ID: fmt.Sprintf("%s %s %d", gate, result, minute), Signer: "key", Statement: Statement{
		Image: repository + "@" + digest, Gate: gate, Result: result, Repository: "acme/checkout", Commit: commit, Tree: tree,
		Run: fmt.Sprintf("https://github.example/runs/%d", minute), Time: noon.Add(time.Duration(minute) * time.Minute),
	}}
	for _, f := range change {
		f(&r)
	}
	return r
}

// saw lets a statement's writer have seen others.
func saw(others ...Record) func(*Record) {
	return func(r *Record) { r.Statement.Previous = Newest(others) }
}

func with(change func(*Statement)) func(*Record) { return func(r *Record) { change(&r.Statement) } }

// broken is something attached that does not count.
func broken(problem Problem, claims string) Record {
	return Record{Referrer: "sha256:" + string(problem), Problem: problem, Reason: "reason of " + string(problem), Claims: claims}
}

func TestRequire(t *testing.T) {
	required := Requirement{
		Gates: []string{Test, Stage}, Digest: digest, Commit: commit, Tree: tree, Repository: "acme/checkout",
		Workflows: map[string]string{Stage: "the workflow approval.yml"},
	}
	passed := record(Test, Passed, 0)
	failed := record(Stage, Failed, 20)
	stage := record(Stage, Passed, 10)
	other := strings.Repeat("0", 40)
	for _, test := range []struct {
		name    string
		records []Record
		known   []Seen
		want    []string // "gate kind", each; none means that the gates are passed
		text    []string // what the refusals say
	}{
		{name: "passes when the newest statement of each gate has passed", records: []Record{passed, stage}},
		{name: "passes when a failure was followed by a pass that knew of it", records: []Record{passed, record(Stage, Failed, 9), record(Stage, Passed, 10, saw(record(Stage, Failed, 9)))}},
		{name: "passes when a failure is longer ago than clocks can differ", records: []Record{passed, record(Stage, Failed, 4), stage}},
		{name: "does not look at other gates", records: []Record{passed, stage, record(Prod, Failed, 30), record(Unit, Failed, 30)}},
		{name: "does not let a stranger's claims revoke", records: []Record{passed, stage, broken(OtherKey, Stage), broken(NotSigned, Stage), broken(Altered, Stage), broken(Malformed, "")}},

		{name: "refuses a gate without a statement", records: []Record{passed}, want: []string{"stage missing"},
			text: []string{digest, "the workflow approval.yml has to pass for this image"}},
		{name: "reports every gap at once", want: []string{"test missing", "stage missing"}},
		{name: "refuses a gate that failed", records: []Record{passed, failed}, want: []string{"stage failed"},
			text: []string{"https://github.example/runs/20", "2026-03-01T12:20:00Z"}},
		{name: "refuses a gate that failed after it had passed", records: []Record{passed, stage, failed}, want: []string{"stage revoked"},
			text: []string{"https://github.example/runs/20", "after it had passed"}},
		{name: "lets the failure decide at the same instant", records: []Record{passed, stage, record(Stage, Failed, 10)}, want: []string{"stage revoked"}},
		{name: "refuses a pass within the clocks' difference of a failure that it did not know of", records: []Record{passed, record(Stage, Failed, 7), stage}, want: []string{"stage revoked"},
			text: []string{"which was later cannot be told", "runs/7"}},
		{name: "believes what a writer saw more than the clocks", records: []Record{passed, record(Stage, Failed, 12), record(Stage, Passed, 10, saw(record(Stage, Failed, 12)))}},
		{name: "refuses the second failure though the first one is known", records: []Record{passed, failed, record(Stage, Passed, 30, saw(failed)), record(Stage, Failed, 40)}, want: []string{"stage revoked"}},
		{name: "a failure for another commit of the same digest revokes too", records: []Record{passed, stage, record(Stage, Failed, 20, with(func(s *Statement) { s.Commit = other }))}, want: []string{"stage revoked"}},

		{name: "remembers a failure that was deleted when anything came after it", records: []Record{passed, stage, record(Prod, Passed, 30, saw(failed))}, want: []string{"stage revoked"},
			text: []string{"the statement itself is no longer there", "runs/20"}},
		{name: "remembers it through a statement that was deleted as well", records: []Record{passed, stage, record(Prod, Passed, 40, saw(record(Prod, Failed, 30, saw(failed)), failed))}, want: []string{"stage revoked"}},
		{name: "remembers the newest failure that was deleted when another place knows of it", records: []Record{passed, stage},
			known: []Seen{{Gate: Stage, Result: Failed, Time: noon.Add(20 * time.Minute), Run: "https://github.example/runs/20"}}, want: []string{"stage revoked"}},
		{name: "does not hold an older failure elsewhere against a later pass", records: []Record{passed, stage},
			known: []Seen{{Gate: Stage, Result: Failed, Time: noon.Add(9 * time.Minute)}}},
		{name: "misses the newest pass though an older one is left", records: []Record{passed, stage, record(Prod, Passed, 40, saw(record(Stage, Passed, 30)))}, want: []string{"stage removed"}},
		{name: "passes again when the gate did after that", records: []Record{passed, record(Prod, Passed, 20, saw(stage)), record(Stage, Passed, 30)}},
		{name: "does not miss what another place remembers without its id", records: []Record{passed, stage}, known: []Seen{{Gate: Stage, Result: Passed, Time: noon.Add(20 * time.Minute)}}},
		{name: "misses what another place knows of though its gate is not asked for", records: []Record{passed, stage}, known: []Seen{record(Prod, Passed, 30).Seen()}, want: []string{"prod removed"}},
		{name: "misses a pass that was deleted", records: []Record{passed, record(Prod, Passed, 30, saw(stage))}, want: []string{"stage removed"},
			text: []string{"was deleted from the registry", "runs/10"}},

		{name: "refuses another digest", records: []Record{passed, record(Stage, Passed, 10, with(func(s *Statement) { s.Image = repository + "@sha256:" + strings.Repeat("0", 64) }))}, want: []string{"stage wrong digest"}},
		{name: "refuses another commit", records: []Record{passed, record(Stage, Passed, 10, with(func(s *Statement) { s.Commit = other }))}, want: []string{"stage wrong commit"},
			text: []string{other, commit, "runs/10"}},
		{name: "refuses another tree", records: []Record{passed, record(Stage, Passed, 10, with(func(s *Statement) { s.Tree = other }))}, want: []string{"stage wrong tree"}},
		{name: "refuses another repository", records: []Record{passed, record(Stage, Passed, 10, with(func(s *Statement) { s.Repository = "evil/checkout" }))}, want: []string{"stage wrong repository"}},
		{name: "says everything in which a statement differs", records: []Record{passed, record(Stage, Passed, 10, with(func(s *Statement) { s.Commit, s.Tree = other, other }))},
			want: []string{"stage wrong commit", "stage wrong tree"}},
		{name: "passes on an older statement of this commit when a newer pass is for another", records: []Record{passed, stage, record(Stage, Passed, 20, with(func(s *Statement) { s.Commit = other }))}},

		{name: "refuses a statement of another key", records: []Record{passed, broken(OtherKey, Stage)}, want: []string{"stage wrong key"}, text: []string{"reason of another key"}},
		{name: "counts many alike in one refusal", records: []Record{passed, broken(OtherKey, Stage), broken(OtherKey, Stage), broken(OtherKey, Stage), broken(NotSigned, Stage)},
			want: []string{"stage wrong key", "stage unsigned"}, text: []string{"(and 2 more like it)"}},
		{name: "refuses a statement that was changed", records: []Record{passed, broken(Altered, Stage)}, want: []string{"stage bad signature"}},
		{name: "refuses an unsigned statement when there is a key", records: []Record{passed, broken(NotSigned, Stage)}, want: []string{"stage unsigned"}},
		{name: "refuses a signed statement when there is none", records: []Record{passed, broken(NoKey, Stage)}, want: []string{"stage no key"}},
		{name: "refuses a statement about another image", records: []Record{passed, broken(OtherImage, Stage)}, want: []string{"stage wrong digest"}},
		{name: "refuses what is no statement", records: []Record{passed, broken(Malformed, Stage)}, want: []string{"stage malformed"}},
		{name: "refuses while something cannot be read, for it may be a failure", records: []Record{passed, stage, broken(Unreadable, "")}, want: []string{" unreadable"},
			text: []string{"sha256:unreadable", "restore it, or take it out of the list", "sha256-dddd"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := required
			r.Known = test.known
			// The order of the records must not matter.
			for _, records := range [][]Record{test.records, reversed(test.records)} {
				refusals := Require(records, r)
				var got []string
				var all strings.Builder
				for _, refusal := range refusals {
					got = append(got, refusal.Gate+" "+string(refusal.Kind))
					fmt.Fprintln(&all, refusal)
				}
				if diff := cmp.Diff(test.want, got); diff != "" {
					t.Errorf("refusals (-want +got):\n%s\n%s", diff, all.String())
				}
				for _, text := range test.text {
					if !strings.Contains(all.String(), text) {
						t.Errorf("%q is not in:\n%s", text, all.String())
					}
				}
			}
		})
	}
	t.Run("an unknown gate is refused, with those that there are", func(t *testing.T) {
		got := Require(nil, Requirement{Gates: []string{"staging"}, Digest: digest})
		if len(got) != 1 || got[0].Kind != UnknownGate || !strings.Contains(got[0].Error(), "unit, build, test, stage, prod") {
			t.Errorf("got %v", got)
		}
	})
	t.Run("no gates are always passed", func(t *testing.T) {
		if got := Require([]Record{broken(Unreadable, "")}, Requirement{Digest: digest}); got != nil {
			t.Errorf("got %v", got)
		}
	})
}

func reversed(records []Record) []Record {
	back := slices.Clone(records)
	slices.Reverse(back)
	return back
}

// TestDeletingNeverPasses is the promise about deletion over all histories of four statements of two gates: whatever part
// of what was attached is left, gates are passed only if they were with all of it, as long as the last statement is left or
// another place knows of it.
func TestDeletingNeverPasses(t *testing.T) {
	outcomes := []string{Passed, Failed}
	const steps = 4
	passing := 0
	for history := range 1 << (2 * steps) {
		var written []Record
		for step := range steps {
			bits := history >> (2 * step)
			gate := []string{Test, Stage}[bits&1]
			written = append(written, record(gate, outcomes[bits>>1&1], 10*(step+1), saw(written...)))
		}
		last := written[steps-1]
		for _, gates := range [][]string{{Test, Stage}, {Test}, {Stage}} {
			required := Requirement{Gates: gates, Digest: digest}
			whole := Require(written, required) == nil
			if whole {
				passing++
			}
			for left := range 1 << steps {
				var kept []Record
				for i, r := range written {
					if left>>i&1 == 1 {
						kept = append(kept, r)
					}
				}
				required.Known = nil
				if left>>(steps-1)&1 == 0 {
					required.Known = []Seen{last.Seen()}
				}
				if Require(kept, required) == nil && !whole {
					t.Errorf("history %08b passes %v with %04b of it left", history, gates, left)
				}
			}
		}
	}
	if passing == 0 {
		t.Error("no history passes; the promise would hold for nothing")
	}
}

func TestChain(t *testing.T) {
	failed := record(Stage, Failed, 20)
	records := []Record{
		record(Unit, Passed, 0), record(Test, Passed, 5, with(func(s *Statement) {
			s.Environment, s.Tests, s.Approvers = "test", &Tests{Total: 3}, []string{"bob"}
		})), record(Stage, Passed, 10), failed, broken(OtherKey, Build),
	}
	var got []string
	chain := Chain(records, digest)
	for _, link := range chain {
		got = append(got, strings.TrimSpace(fmt.Sprintf("%s %s %s %s", link.Gate, link.Result, link.Statement, link.Signer)))
	}
	want := []string{"unit passed unit passed 0 key", "build wrong key", "test passed test passed 5 key", "stage revoked stage failed 20 key", "prod missing"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if l := chain[2]; l.Environment != "test" || l.Tests.Total != 3 || l.Approvers[0] != "bob" || !l.Time.Equal(noon.Add(5*time.Minute)) || l.Run == "" || l.Commit != commit {
		t.Errorf("got %+v", l)
	}
}
