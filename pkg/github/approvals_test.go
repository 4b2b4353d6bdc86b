package github

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/org/promote/pkg/change"
)

const (
	reviews = "GET /pulls/7/reviews?per_page=100"
	commits = "GET /pulls/7/commits?per_page=100"
)

func reviewBy(login, state, commit string) string {
	return reviewAt(login, state, commit, "2026-02-03T03:00:00Z")
}

func reviewAt(login, state, commit, at string) string {
	kind := "User"
	if strings.HasSuffix(login, "[bot]") {
		kind = "Bot"
	}
	return fmt.Sprintf(`{"user":{"login":%q,"type":%q},"state":%q,"commit_id":%q,"submitted_at":%q}`, login, kind, state, commit, at)
}

func commitBy(author, committer string, parents int) string {
	list := strings.TrimSuffix(strings.Repeat(`{"sha":"x"},`, parents), ",")
	return fmt.Sprintf(`{"author":{"login":%q},"committer":{"login":%q},"parents":[%s]}`, author, committer, list)
}

// pullRoutes are the answers about pull request 7 by ada, and about the access of some people: "grace=write".
func pullRoutes(state string, access []string) map[string][]answer {
	routes := map[string][]answer{"GET /pulls/7": {ok(`{"number":7,%s,"user":{"login":"ada"},"head":{"sha":%q}}`, state, head)}}
	for _, each := range access {
		name, level, _ := strings.Cut(each, "=")
		routes["GET /collaborators/"+name+"/permission"] = []answer{ok(`{"permission":%q}`, level)}
	}
	return routes
}

func TestApprovals(t *testing.T) {
	byAda := commitBy("ada", "ada", 1)
	for _, test := range []struct {
		name, access, reviews, commits string
		by, against, inVain            []string
	}{
		{"counts people with write access", "grace=write linus=admin", reviewBy("linus", "APPROVED", head) + "," + reviewBy("grace", "APPROVED", head), byAda,
			[]string{"grace", "linus"}, nil, nil},
		{"does not count the author, readers, bots and approvals of another commit", "eve=read",
			strings.Join([]string{reviewBy("Ada", "APPROVED", head), reviewBy("eve", "APPROVED", head), reviewBy("ci[bot]", "APPROVED", head), reviewBy("grace", "APPROVED", other)}, ","), byAda,
			nil, nil, []string{"Ada (opened it)", "eve (has no write access)", "grace (approved 3333333)"}},
		{"does not count who made one of the commits", "linus=write",
			strings.Join([]string{reviewBy("grace", "APPROVED", head), reviewBy("rob", "APPROVED", head), reviewBy("linus", "APPROVED", head)}, ","),
			byAda + "," + commitBy("Grace", "web-flow", 1) + "," + commitBy("ada", "rob", 1),
			[]string{"linus"}, nil, []string{"grace (made one of its commits)", "rob (made one of its commits)"}},
		{"counts who pressed the button that merges the base branch", "grace=write", reviewBy("grace", "APPROVED", head), byAda + "," + commitBy("grace", "web-flow", 2),
			[]string{"grace"}, nil, nil},
		{"does not count who merged the base branch by hand", "", reviewBy("grace", "APPROVED", head), byAda + "," + commitBy("grace", "grace", 2),
			nil, nil, []string{"grace (made one of its commits)"}},
		{"a later comment takes nothing back", "grace=write", reviewBy("grace", "APPROVED", head) + "," + reviewBy("grace", "COMMENTED", head), byAda,
			[]string{"grace"}, nil, nil},
		{"the last word counts", "grace=write linus=write",
			strings.Join([]string{
				reviewBy("grace", "APPROVED", head), reviewBy("grace", "CHANGES_REQUESTED", head),
				reviewBy("linus", "CHANGES_REQUESTED", other), reviewBy("linus", "APPROVED", head),
			}, ","), byAda, []string{"linus"}, []string{"grace"}, nil},
		{"a dismissed approval is gone", "", reviewBy("grace", "APPROVED", head) + "," + reviewBy("grace", "DISMISSED", head), "", nil, nil, nil},
		{"an approval whose commit was force-pushed away is gone", "", reviewBy("grace", "APPROVED", ""), "", nil, nil, []string{"grace (approved a commit that is gone)"}},
		{"a request for changes of an older commit stands, one by a stranger does not", "grace=write eve=none",
			reviewBy("grace", "CHANGES_REQUESTED", other) + "," + reviewBy("eve", "CHANGES_REQUESTED", head), "", nil, []string{"grace"}, nil},
		{"a bot's request for changes stops nobody", "", reviewBy("ci[bot]", "CHANGES_REQUESTED", head), "", nil, nil, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			routes := pullRoutes(`"state":"open"`, strings.Fields(test.access))
			routes[reviews] = []answer{ok("[%s]", test.reviews)}
			if test.commits != "" {
				routes[commits] = []answer{ok("[%s]", test.commits)}
			}
			got, err := serve(t, routes).client().Approvals(t.Context(), 7, head)
			if err != nil {
				t.Fatal(err)
			}
			want := Approvals{By: test.by, NotCounted: test.inVain, ChangesRequestedBy: test.against, Open: true, HeadNow: head}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	t.Run("reads every page", func(t *testing.T) {
		routes := pullRoutes(`"state":"open"`, []string{"grace=write"})
		s := serve(t, routes)
		next := func(a answer, of string) answer {
			a.header = map[string][]string{"Link": {`<` + s.URL + `/repos/org/shop/pulls/7/` + of + `?per_page=100&page=2>; rel="next"`}}
			return a
		}
		routes[reviews] = []answer{next(ok("[%s,%s]", reviewBy("grace", "CHANGES_REQUESTED", head), reviewBy("rob", "APPROVED", head)), "reviews")}
		routes["GET /pulls/7/reviews?page=2&per_page=100"] = []answer{ok("[%s]", reviewBy("grace", "APPROVED", head))}
		routes[commits] = []answer{next(ok("[%s]", byAda), "commits")}
		routes["GET /pulls/7/commits?page=2&per_page=100"] = []answer{ok("[%s]", commitBy("rob", "rob", 1))}
		got, err := s.client().Approvals(t.Context(), 7, head)
		want := Approvals{By: []string{"grace"}, NotCounted: []string{"rob (made one of its commits)"}, Open: true, HeadNow: head}
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%v %s", err, diff)
		}
	})
	t.Run("a reviewer who is gone counts for nothing", func(t *testing.T) {
		routes := pullRoutes(`"state":"open"`, nil)
		routes["GET /collaborators/grace/permission"] = []answer{refused(404, "Not Found")}
		routes[reviews], routes[commits] = []answer{ok("[%s]", reviewBy("grace", "APPROVED", head))}, []answer{ok("[%s]", byAda)}
		got, err := serve(t, routes).client().Approvals(t.Context(), 7, head)
		if err != nil || len(got.By) != 0 {
			t.Errorf("got %+v, %v", got, err)
		}
	})
}

func TestMergedApprovalsAreThoseThatStoodAtTheMerge(t *testing.T) {
	const before, after = "2026-02-03T03:00:00Z", "2026-02-03T05:00:00Z"
	routes := pullRoutes(`"state":"closed","merged_at":"2026-02-03T04:05:06Z"`, []string{"grace=write", "linus=write"})
	routes[commits] = []answer{ok("[%s]", commitBy("ada", "ada", 1))}
	routes[reviews] = []answer{ok("[%s]", strings.Join([]string{
		reviewAt("grace", "APPROVED", head, before), reviewAt("grace", "APPROVED", head, after),
		reviewAt("eve", "APPROVED", head, after),
		reviewAt("linus", "APPROVED", head, before), reviewAt("linus", "CHANGES_REQUESTED", head, after),
		reviewAt("mia", "DISMISSED", head, before),
	}, ","))}
	got, err := serve(t, routes).client().MergedApprovals(t.Context(), 7, head)
	if err != nil {
		t.Fatal(err)
	}
	want := Approvals{By: []string{"grace"}, ChangesRequestedBy: []string{"linus"}, Merged: true, HeadNow: head}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestCheck(t *testing.T) {
	good := Approvals{By: []string{"grace"}, Open: true, HeadNow: head}
	if err := good.Check(head, 1); err != nil {
		t.Errorf("refused: %v", err)
	}
	bad := Approvals{ChangesRequestedBy: []string{"grace"}, NotCounted: []string{"ada (opened it)"}, Draft: true, HeadNow: other}
	for _, reason := range []string{
		"is not open", "head is 3333333 now", "changes were requested by grace", "is a draft", "0 of 2 required approvals", "not counted: ada (opened it)",
	} {
		wantRefusal(t, bad.Check(head, 2), reason)
	}
	t.Run("where nothing is required, only the head and the pull request must stand", func(t *testing.T) {
		if err := (Approvals{Open: true, Draft: true, ChangesRequestedBy: []string{"grace"}, HeadNow: head}).Check(head, 0); err != nil {
			t.Errorf("refused: %v", err)
		}
		wantRefusal(t, bad.Check(head, 0), "head is 3333333 now")
	})
	t.Run("a merged one must be merged, with this head", func(t *testing.T) {
		if err := (Approvals{By: []string{"grace"}, Merged: true, HeadNow: head}).CheckMerged(head, 1); err != nil {
			t.Errorf("refused: %v", err)
		}
		wantRefusal(t, good.CheckMerged(head, 1), "was not merged")
		wantRefusal(t, bad.CheckMerged(head, 1), "merged with the head 3333333")
	})
}

func TestMayGo(t *testing.T) {
	open := change.Change{PullRequest: 7, Head: head}
	t.Run("asks again each time, and stops when the head has moved", func(t *testing.T) {
		moved := ok(`{"number":7,"state":"open","user":{"login":"ada"},"head":{"sha":%q}}`, other)
		routes := pullRoutes(`"state":"open"`, nil)
		routes["GET /pulls/7"] = append(routes["GET /pulls/7"], moved)
		c := serve(t, routes).client()
		if _, err := c.MayGo(t.Context(), open, 0); err != nil {
			t.Fatal(err)
		}
		_, err := c.MayGo(t.Context(), open, 0)
		wantRefusal(t, err, "head is 3333333 now")
	})
	t.Run("stops when the approval was withdrawn", func(t *testing.T) {
		routes := pullRoutes(`"state":"open"`, []string{"grace=write"})
		routes[commits] = []answer{ok("[%s]", commitBy("ada", "ada", 1))}
		routes[reviews] = []answer{ok("[%s]", reviewBy("grace", "APPROVED", head)), ok("[%s]", reviewBy("grace", "DISMISSED", head))}
		c := serve(t, routes).client()
		if got, err := c.MayGo(t.Context(), open, 1); err != nil || len(got.By) != 1 {
			t.Fatalf("got %+v, %v", got, err)
		}
		_, err := c.MayGo(t.Context(), open, 1)
		wantRefusal(t, err, "0 of 1 required approvals")
	})
	t.Run("takes no answer for no yes", func(t *testing.T) {
		s := serve(t, map[string][]answer{"GET /pulls/7": {refused(403, "Resource not accessible by integration")}})
		_, err := s.client().MayGo(t.Context(), open, 0)
		var permission *PermissionError
		if !errors.As(err, &permission) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a commit without a pull request can't have been approved", func(t *testing.T) {
		c := serve(t, nil).client()
		_, err := c.MayGo(t.Context(), change.Change{Head: head}, 1)
		wantRefusal(t, err, "belongs to no pull request")
		if _, err := c.MayGo(t.Context(), change.Change{Head: head}, 0); err != nil {
			t.Error(err)
		}
	})
	t.Run("a merged one is asked for the approvals at its merge", func(t *testing.T) {
		routes := pullRoutes(`"state":"closed","merged_at":"2026-02-03T04:05:06Z"`, nil)
		routes[reviews] = []answer{ok("[]")}
		_, err := serve(t, routes).client().MayGo(t.Context(), change.Change{PullRequest: 7, Head: head, Merge: merge}, 1)
		wantRefusal(t, err, "0 of 1 required approvals")
	})
}
