package github

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/org/promote/pkg/preflight"
)

const tryStatus = "POST /statuses/0000000000000000000000000000000000000000"

func TestWhatAnAnswerSaysOfARight(t *testing.T) {
	for name, test := range map[string]struct {
		answer    answer
		state     preflight.State
		told, fix string
	}{
		"only what was asked for is wrong":       {refused(422, "No commit found for SHA: 0000000000000000000000000000000000000000"), preflight.Good, "the token has it", ""},
		"the right is missing":                   {refused(403, "Resource not accessible by integration"), preflight.Wrong, "the token lacks it", "add `statuses: write` under `permissions:`"},
		"a person's token that sees nothing":     {answer{404, `{"message":"Not Found"}`, http.Header{"X-Oauth-Scopes": {"read:org"}}}, preflight.Wrong, `"Not Found"`, "the scope `repo` (it has: read:org)"},
		"the token is no token":                  {refused(401, "Bad credentials"), preflight.Wrong, "does not accept the token", "${{ github.token }}"},
		"GitHub is out of order":                 {refused(500, "Oops"), preflight.Unknown, "500", ""},
		"the repository is archived":             {refused(403, "Repository was archived so is read-only."), preflight.Unknown, "archived", ""},
		"a limit is no missing right":            {answer{403, `{"message":"You have exceeded a secondary rate limit"}`, http.Header{"Retry-After": {"90"}}}, preflight.Unknown, "rate limit", ""},
		"what cannot be is done, which is a bug": {answer{201, `{}`, nil}, preflight.Unknown, "report that", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, map[string][]answer{tryStatus: {test.answer}})
			f := preflight.Run(t.Context(), s.client().LookAtRights(0, WriteStatuses)).Findings[0]
			if f.State != test.state || !strings.Contains(f.Told, test.told) || !strings.Contains(f.Fix, test.fix) || (test.fix == "") != (f.Fix == "") {
				t.Errorf("found %+v", f)
			}
			if strings.Contains(f.Told+f.Fix, token) {
				t.Errorf("the token is told: %+v", f)
			}
		})
	}
}

func TestWithoutAPullRequestNobodyIsAskedAboutComments(t *testing.T) {
	s := serve(t, nil)
	f := preflight.Run(t.Context(), s.client().LookAtRights(0, WritePulls, "cakes: write")).Findings
	if f[0].State != preflight.Unknown || !strings.Contains(f[0].Told, "belongs to no pull request") || f[1].State != preflight.Unknown {
		t.Errorf("found %+v", f)
	}
}

// What is tried must be what can't be done: these are the very requests.
func TestWhatIsTriedCannotBe(t *testing.T) {
	routes := map[string][]answer{
		tryStatus: {refused(422, "x")}, "POST /deployments": {refused(422, "x")}, "POST /issues/7/comments": {refused(422, "x")},
	}
	s := serve(t, routes)
	preflight.Run(t.Context(), s.client().LookAtRights(7, WriteStatuses, WriteDeployments, WritePulls))
	if ref := s.sent("POST /deployments")[0]["ref"]; ref != "promote-preflight.lock" { // git check-ref-format: no ref ends in .lock
		t.Errorf("a deployment of %v was asked for", ref)
	}
	if diff := cmp.Diff([]map[string]any{{"body": ""}}, s.sent("POST /issues/7/comments")); diff != "" {
		t.Errorf("a comment that is not empty: %s", diff)
	}
}

func TestTheStrictestOfSeveralRulesetsCounts(t *testing.T) {
	rule := func(approvals int, dismiss bool) string {
		return strings.NewReplacer("N", string(rune('0'+approvals)), "D", map[bool]string{true: "true", false: "false"}[dismiss]).Replace(
			`{"type":"pull_request","parameters":{"required_approving_review_count":N,"dismiss_stale_reviews_on_push":D}}`)
	}
	for name, list := range map[string]string{
		"the stricter first": rule(2, true) + "," + rule(1, false),
		"the stricter last":  rule(1, false) + "," + rule(2, true),
		"each in one thing":  rule(2, false) + "," + rule(1, true),
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, map[string][]answer{
				"GET /rules/branches/main?per_page=100": {ok(`[%s]`, list)},
				"GET /branches/main":                    {ok(`{"name":"main","protected":true,"protection":{"enabled":false}}`)},
			})
			f := preflight.Run(t.Context(), s.client().LookAtBranch("main", Wanted{Approvals: 2})).Findings
			if f[1].State != preflight.Good || f[2].State != preflight.Good {
				t.Errorf("found %+v", f)
			}
		})
	}
}

func TestRulesThatCannotBeReadAreNotKnown(t *testing.T) {
	s := serve(t, map[string][]answer{"GET /rules/branches/main?per_page=100": {refused(403, "Resource not accessible by integration")}})
	f := preflight.Run(t.Context(), s.client().LookAtBranch("main", Wanted{Approvals: 1})).Findings
	if len(f) != 1 || f[0].State != preflight.Unknown || !strings.Contains(f[0].Told, "metadata: read") {
		t.Errorf("found %+v", f)
	}
}

func TestATokenThatCannotBeHadIsNotKnown(t *testing.T) {
	s := serve(t, nil)
	f := preflight.Run(t.Context(), s.client().LookAtSubject(func(context.Context) (Identity, error) { return Identity{}, errors.New("the runner says 500") })).Findings
	if f[0].State != preflight.Unknown || f[0].Told != "the runner says 500" {
		t.Errorf("found %+v", f)
	}
}
