package change

import (
	"errors"
	"strings"
	"testing"
)

func point(letter, tree, merge string) Point {
	full := func(s string) string {
		if s == "" {
			return ""
		}
		return strings.Repeat(s, 40)
	}
	return Point{Head: full(letter), Tree: full(tree), Merge: full(merge)}
}

func TestCompare(t *testing.T) {
	for _, test := range []struct {
		name          string
		next, serving Point
		from, to      string
		merged, ask   bool
	}{
		{"merges with merges", point("a", "1", "c"), point("b", "2", "d"), "d", "c", true, true},
		{"heads when both are open", point("a", "1", ""), point("b", "2", ""), "b", "a", false, true},
		{"heads when the state recorded no merge", point("a", "1", "c"), point("b", "2", ""), "b", "a", false, true},
		{"heads when an open one follows a merged one", point("a", "1", ""), point("b", "2", "d"), "b", "a", false, true},
		{"nothing when the commit is the same", point("a", "1", "c"), point("a", "1", "c"), "", "", false, false},
		{"nothing when the tree is the same", point("a", "1", "c"), point("b", "1", "d"), "", "", false, false},
		{"something when no tree is known", point("a", "", ""), point("b", "", ""), "b", "a", false, true},
		{"nothing with a release of unknown origin", point("a", "1", "c"), point("", "", ""), "", "", false, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, ask := Compare(test.next, test.serving)
			want := Comparison{Serving: strings.Repeat(test.from, 40), Next: strings.Repeat(test.to, 40), Merged: test.merged}
			if got != want || ask != test.ask {
				t.Errorf("got %+v, %v, want %+v, %v", got, ask, want, test.ask)
			}
		})
	}
}

func TestCheckOrder(t *testing.T) {
	for _, test := range []struct {
		relation Relation
		merged   bool
		reason   string // "" goes on
	}{
		{Same, false, ""}, {Same, true, ""},
		{Newer, false, ""}, {Newer, true, ""},
		{Older, false, "older than commit bbbbbbb"}, {Older, true, "older than commit bbbbbbb"},
		{Diverged, false, ""}, {Diverged, true, "is not in its history"},
		{Unknown, false, ""}, {Unknown, true, "no longer knows"},
	} {
		name := string(test.relation) + " of open pull requests"
		if test.merged {
			name = string(test.relation) + " on the base branch"
		}
		by := Comparison{Serving: strings.Repeat("b", 40), Next: strings.Repeat("a", 40), Merged: test.merged}
		t.Run(name, func(t *testing.T) {
			err := CheckOrder(by, test.relation, false)
			var refusal *Refusal
			switch {
			case test.reason == "" && err != nil:
				t.Errorf("refused: %v", err)
			case test.reason != "" && (!errors.As(err, &refusal) || !strings.Contains(refusal.Reason, test.reason) || !strings.Contains(refusal.Fix, "allow-rollback")):
				t.Errorf("got %v", err)
			}
		})
		t.Run(name+", with allow-rollback", func(t *testing.T) {
			if err := CheckOrder(by, test.relation, true); err != nil {
				t.Error(err)
			}
		})
	}
	t.Run("a relation that nobody knows is an error, never a yes", func(t *testing.T) {
		if err := CheckOrder(Comparison{Merged: true}, "sideways", false); err == nil {
			t.Error("no error")
		}
		if err := CheckOrder(Comparison{}, "", false); err == nil {
			t.Error("no error")
		}
	})
}
