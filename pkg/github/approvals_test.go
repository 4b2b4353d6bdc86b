package github

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const reviews = "GET /pulls/7/reviews?per_page=100"

func reviewBy(login, state, commit string) string {
	kind := "User"
	if strings.HasSuffix(login, "[bot]") {
		kind = "Bot"
	}
	return fmt.Sprintf(`{"user":{"login":%q,"type":%q},"state":%q,"commit_id":%q}`, login, kind, state, commit)
}

func TestApprovals(t *testing.T) {
	pull := ok(`{"number":7,"state":"open","user":{"login":"ada"},"head":{"sha":%q}}`, head)
	access := func(names ...string) map[string][]answer {
		routes := map[string][]answer{"GET /pulls/7": {pull}}
		for _, each := range names {
			name, level, _ := strings.Cut(each, "=")
			routes["GET /collaborators/"+name+"/permission"] = []answer{ok(`{"permission":%q}`, level)}
		}
		return routes
	}
	for _, test := range []struct {
		name    string
		routes  map[string][]answer
		reviews []string
		by      []string
		against []string
	}{
		{"counts people with write access", access("grace=write", "linus=admin"),
			[]string{reviewBy("linus", "APPROVED", head), reviewBy("grace", "APPROVED", head)}, []string{"grace", "linus"}, nil},
		{"does not count the author, readers, bots and approvals of another commit", access("eve=read"),
			[]string{reviewBy("Ada", "APPROVED", head), reviewBy("eve", "APPROVED", head), reviewBy("ci[bot]", "APPROVED", head), reviewBy("grace", "APPROVED", other)}, nil, nil},
		{"a later comment takes nothing back", access("grace=write"),
			[]string{reviewBy("grace", "APPROVED", head), reviewBy("grace", "COMMENTED", head)}, []string{"grace"}, nil},
		{"the last word counts", access("grace=write", "linus=write"),
			[]string{
				reviewBy("grace", "APPROVED", head), reviewBy("grace", "CHANGES_REQUESTED", head),
				reviewBy("linus", "CHANGES_REQUESTED", other), reviewBy("linus", "APPROVED", head),
			}, []string{"linus"}, []string{"grace"}},
		{"a dismissed approval is gone", access(), []string{reviewBy("grace", "APPROVED", head), reviewBy("grace", "DISMISSED", head)}, nil, nil},
		{"a request for changes of an older commit stands, one by a stranger does not", access("grace=write", "eve=none"),
			[]string{reviewBy("grace", "CHANGES_REQUESTED", other), reviewBy("eve", "CHANGES_REQUESTED", head)}, nil, []string{"grace"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.routes[reviews] = []answer{ok("[%s]", strings.Join(test.reviews, ","))}
			got, err := serve(t, test.routes).client().Approvals(t.Context(), 7, head)
			if err != nil {
				t.Fatal(err)
			}
			want := Approvals{By: test.by, ChangesRequestedBy: test.against, Open: true, HeadNow: head}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	t.Run("reads every page", func(t *testing.T) {
		routes := access("grace=write")
		s := serve(t, routes)
		first := ok("[%s]", reviewBy("grace", "CHANGES_REQUESTED", head))
		first.header = map[string][]string{"Link": {`<` + s.URL + `/repos/org/shop/pulls/7/reviews?per_page=100&page=2>; rel="next"`}}
		routes[reviews] = []answer{first}
		routes["GET /pulls/7/reviews?page=2&per_page=100"] = []answer{ok("[%s]", reviewBy("grace", "APPROVED", head))}
		got, err := s.client().Approvals(t.Context(), 7, head)
		if err != nil || len(got.By) != 1 || len(got.ChangesRequestedBy) != 0 {
			t.Errorf("got %+v, %v", got, err)
		}
	})
	t.Run("a reviewer who is gone counts for nothing", func(t *testing.T) {
		routes := access()
		routes["GET /collaborators/grace/permission"] = []answer{refused(404, "Not Found")}
		routes[reviews] = []answer{ok("[%s]", reviewBy("grace", "APPROVED", head))}
		got, err := serve(t, routes).client().Approvals(t.Context(), 7, head)
		if err != nil || len(got.By) != 0 {
			t.Errorf("got %+v, %v", got, err)
		}
	})
}

func TestCheck(t *testing.T) {
	good := Approvals{By: []string{"grace"}, Open: true, HeadNow: head}
	if err := good.Check(head, 1); err != nil {
		t.Errorf("refused: %v", err)
	}
	bad := Approvals{ChangesRequestedBy: []string{"grace"}, HeadNow: other}
	err := bad.Check(head, 2)
	for _, reason := range []string{"is not open", "head is 3333333 now", "changes were requested by grace", "0 of 2 required approvals"} {
		wantRefusal(t, err, reason)
	}
}
