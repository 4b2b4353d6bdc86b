package preflight

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/org/promote/pkg/hostile"
)

// saw is a look that sees at once.
func saw(area string, findings ...Finding) Look {
	return Look{Area: area, At: func(context.Context) []Finding { return findings }}
}

func TestRunKeepsTheOrderOfTheLooks(t *testing.T) {
	var looks []Look
	for _, name := range strings.Split("abcdefghijklmnopqrstuvwxyz", "") {
		looks = append(looks, saw("area "+name, Finding{Subject: name + "1", State: Good}, Finding{Area: "own", Subject: name + "2", State: Noted}))
	}
	seen := Run(t.Context(), looks...)
	order := ""
	for _, f := range seen.Findings {
		order += f.Area + "/" + f.Subject + " "
	}
	if !strings.HasPrefix(order, "area a/a1 own/a2 area b/b1 own/b2 ") || !strings.HasSuffix(order, "area z/z1 own/z2 ") || len(seen.Findings) != 52 {
		t.Errorf("found %s", order)
	}
}

func TestRunLooksEverywhereAtOnceButNotInABurst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		now, most := 0, 0
		look := Look{Area: "slow", At: func(context.Context) []Finding {
			mu.Lock()
			now++
			most = max(most, now)
			mu.Unlock()
			time.Sleep(time.Second) // of the bubble's clock
			mu.Lock()
			now--
			mu.Unlock()
			return []Finding{{State: Good}}
		}}
		looks := make([]Look, 3*atOnce)
		for i := range looks {
			looks[i] = look
		}
		began := time.Now()
		Run(t.Context(), looks...)
		if took := time.Since(began); took != 3*time.Second || most != atOnce {
			t.Errorf("%d looks took %s, %d at once; want 3s and %d", len(looks), took, most, atOnce)
		}
	})
}

func TestALookThatOutlivesItsTimeIsUnknownAndHidesNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		heedless := make(chan struct{})
		defer close(heedless)
		seen := Run(t.Context(),
			Look{Area: "deaf", At: func(context.Context) []Finding { <-heedless; return nil }},
			Look{Area: "broken", At: func(context.Context) []Finding { panic("nil map") }},
			saw("quick", Finding{Subject: "this", State: Wrong, Told: "is wrong"}),
		)
		want := []Finding{
			{Area: "deaf", Subject: "everything", State: Unknown, Told: "no answer within 1m0s"},
			{Area: "broken", Subject: "everything", State: Unknown, Told: "looking broke off, which is a bug of promote: nil map"},
			{Area: "quick", Subject: "this", State: Wrong, Told: "is wrong"},
		}
		if diff := cmp.Diff(want, seen.Findings); diff != "" {
			t.Error(diff)
		}
	})
}

func TestALookThatHeedsItsTimeKeepsWhatItSaw(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := Run(t.Context(), Look{Area: "slow", At: func(ctx context.Context) []Finding {
			<-ctx.Done()
			return []Finding{{Subject: "first", State: Good}, {Subject: "second", State: Unknown, Told: context.Cause(ctx).Error()}}
		}})
		want := []Finding{{Area: "slow", Subject: "first", State: Good}, {Area: "slow", Subject: "second", State: Unknown, Told: "no answer within 1m0s"}}
		if diff := cmp.Diff(want, seen.Findings); diff != "" {
			t.Error(diff)
		}
	})
}

func TestACancelledRunCallsNothingGood(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("the run was cancelled"))
	seen := Run(ctx, Look{Area: "never", At: func(ctx context.Context) []Finding { <-ctx.Done(); select {} }})
	if diff := cmp.Diff([]Finding{{Area: "never", Subject: "everything", State: Unknown, Told: "the run was cancelled"}}, seen.Findings); diff != "" {
		t.Error(diff)
	}
}

var mixed = Report{Findings: []Finding{
	{Area: "GitHub", Subject: "contents: read", State: Good, Told: "the token may read"},
	{Area: "GitHub", Subject: "statuses: write", State: Wrong, Told: "the token may not", Fix: "add `statuses: write` to the job's `permissions:`"},
	{Area: "AWS", Subject: "subject", State: Noted, Told: "repo:shop/checkout:ref:refs/heads/main"},
	{Area: "cluster", Subject: "Namespace/prod", State: Unknown, Told: "dial tcp: connection refused"},
	{Area: "cluster", Subject: "Role/prod/promote", State: Wrong, Told: "rules are missing", Fix: "add to its rules:\n- apiGroups: [apps]\n  verbs: [get]"},
}}

func TestErrListsEveryWrongOneWithItsFix(t *testing.T) {
	want := "preflight: 2 things to change before a run:\n" +
		"- GitHub: statuses: write: the token may not; add `statuses: write` to the job's `permissions:`\n" +
		"- cluster: Role/prod/promote: rules are missing; add to its rules:\n" +
		"  - apiGroups: [apps]\n" +
		"    verbs: [get]"
	if diff := cmp.Diff(want, mixed.Err().Error()); diff != "" {
		t.Error(diff)
	}
	for _, state := range []State{Good, Unknown, Noted} {
		if err := (Report{Findings: []Finding{{State: state}}}).Err(); err != nil {
			t.Errorf("%s gives an error: %v", state, err)
		}
	}
}

func TestLinesEndWithTheVerdict(t *testing.T) {
	want := []string{
		"✅ good: GitHub: contents: read: the token may read",
		"❌ to change: GitHub: statuses: write: the token may not; add `statuses: write` to the job's `permissions:`",
		"📝 noted: AWS: subject: repo:shop/checkout:ref:refs/heads/main",
		"❔ not known: cluster: Namespace/prod: dial tcp: connection refused",
		"❌ to change: cluster: Role/prod/promote: rules are missing; add to its rules:",
		"  - apiGroups: [apps]",
		"    verbs: [get]",
		"preflight: 2 things to change, 1 not known",
	}
	if diff := cmp.Diff(want, mixed.Lines()); diff != "" {
		t.Error(diff)
	}
}

func TestMarkdownSaysFirstWhatToChange(t *testing.T) {
	want := "### ❌ Preflight: 2 things to change, 1 not known\n" +
		"\n1. **GitHub**: statuses: write: the token may not<br>→ add `statuses: write` to the job's `permissions:`\n" +
		"2. **cluster**: Role/prod/promote: rules are missing<br>→ add to its rules:\n\n" +
		"   ```text\n   - apiGroups: [apps]\n     verbs: [get]\n   ```\n\n" +
		"\nCould not be looked at:\n\n- **cluster**: Namespace/prod: dial tcp: connection refused\n" +
		"\n| Where | What | State | Seen |\n| --- | --- | --- | --- |\n" +
		"| GitHub | contents: read | ✅ good | the token may read |\n" +
		"| GitHub | statuses: write | ❌ to change | the token may not |\n" +
		"| AWS | subject | 📝 noted | repo:shop/checkout:ref:refs/heads/main |\n" +
		"| cluster | Namespace/prod | ❔ not known | dial tcp: connection refused |\n" +
		"| cluster | Role/prod/promote | ❌ to change | rules are missing |\n"
	if diff := cmp.Diff(want, mixed.Markdown()); diff != "" {
		t.Error(diff)
	}
}

func TestWhatCouldBeBetterIsToldWithHow(t *testing.T) {
	page := Report{[]Finding{{Area: "GitHub", Subject: "main: history", State: Noted, Told: "can be forced", Fix: "block it"}, {Subject: "only so", State: Noted}}}.Markdown()
	if !strings.Contains(page, "### ✅ Preflight: nothing to change\n\nWorth a look:\n\n- **GitHub**: main: history: can be forced<br>→ block it\n\n| Where") {
		t.Errorf("got\n%s", page)
	}
}

func TestTheVerdictIsGoodOnlyWhenAllWasSeen(t *testing.T) {
	for name, c := range map[string]struct {
		report Report
		want   string
	}{
		"all good":           {Report{[]Finding{{State: Good}, {State: Noted}}}, "### ✅ Preflight: nothing to change\n"},
		"one thing not seen": {Report{[]Finding{{State: Good}, {}}}, "### ❔ Preflight: nothing to change, 1 not known\n"},
		"nothing seen":       {Report{}, "### ❔ Preflight: nothing was looked at\n"},
		"one thing wrong":    {Report{[]Finding{{State: Wrong}}}, "### ❌ Preflight: 1 thing to change\n"},
	} {
		t.Run(name, func(t *testing.T) {
			if page := c.report.Markdown(); !strings.HasPrefix(page, c.want) {
				t.Errorf("the page begins with %.80q, want %q", page, c.want)
			}
		})
	}
}

func TestHostileFindingsStayText(t *testing.T) {
	for name, text := range hostile.Texts {
		t.Run(name, func(t *testing.T) {
			page := Report{[]Finding{{Area: text, Subject: text, State: Wrong, Told: text, Fix: "do " + text}}}.Markdown()
			rows := strings.Split(strings.TrimSpace(page[strings.LastIndex(page, "| Where"):]), "\n")
			if len(rows) != 3 {
				t.Errorf("the table has %d lines, want 3: %.300q", len(rows), page)
			}
			for _, line := range (Report{[]Finding{{Subject: text, Told: text, Fix: text}}}).Lines() {
				if strings.ContainsAny(line, "\r\n\x1b") {
					t.Errorf("a line holds %.200q", line)
				}
			}
		})
	}
}

func TestProseGivesFormToCodeAlone(t *testing.T) {
	for text, want := range map[string]string{
		"set `a_b: c` in *this* file": "set `a_b: c` in \\*this\\* file",
		"`first` and `last`":          "`first` and `last`",
		"one ` alone":                 "one \\` alone",
		"":                            "",
	} {
		if got := prose(text); got != want {
			t.Errorf("prose(%q) = %q, want %q", text, got, want)
		}
	}
}
