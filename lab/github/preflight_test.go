package github

import (
	"context"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	promote "github.com/org/promote/pkg/github"
	"github.com/org/promote/pkg/preflight"
)

var allRights = []promote.Right{promote.ReadContents, promote.WriteStatuses, promote.WriteDeployments, promote.ReadPulls, promote.WritePulls}

// states gives what was found, one line each.
func states(r preflight.Report) []string {
	var all []string
	for _, f := range r.Findings {
		all = append(all, f.Subject+": "+f.State.String())
	}
	return all
}

func TestPreflightFindsEachMissingRightAndChangesNothing(t *testing.T) {
	w := newWorld(t)
	p := w.pull("feature")
	w.server.log.all = nil
	names := map[promote.Right]string{promote.ReadContents: "contents", promote.WriteStatuses: "statuses", promote.WriteDeployments: "deployments", promote.WritePulls: "pull-requests"}
	for missing, scope := range names {
		t.Run("without "+string(missing), func(t *testing.T) {
			granted := map[string]string{"contents": Read, "pull-requests": Write, "statuses": Write, "deployments": Write}
			delete(granted, scope)
			seen := preflight.Run(t.Context(), w.promote(granted).LookAtRights(p.Number, allRights...))
			for _, f := range seen.Findings {
				lacking := f.Subject == string(missing) || scope == "pull-requests" && f.Subject == string(promote.ReadPulls)
				if lacking && (f.State != preflight.Wrong || !strings.Contains(f.Fix, "add `"+f.Subject+"` under `permissions:`")) || !lacking && f.State != preflight.Good {
					t.Errorf("found %+v", f)
				}
			}
		})
	}
	t.Run("reading is not writing", func(t *testing.T) {
		seen := preflight.Run(t.Context(), w.promote(map[string]string{"contents": Read, "pull-requests": Read, "statuses": Read, "deployments": Read}).LookAtRights(p.Number, allRights...))
		want := []string{"contents: read: good", "statuses: write: to change", "deployments: write: to change", "pull-requests: read: good", "pull-requests: write: to change"}
		if diff := cmp.Diff(want, states(seen)); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("a wrong token is told as that", func(t *testing.T) {
		c, err := promote.New(promote.Config{APIURL: w.server.URL(), Token: "ghs_wrong", Repository: w.repo.Name()})
		check(t, err)
		seen := preflight.Run(t.Context(), c.LookAtRights(0, promote.WriteStatuses))
		if f := seen.Findings[0]; f.State != preflight.Wrong || f.Told != "GitHub does not accept the token" {
			t.Errorf("found %+v", f)
		}
	})
	t.Run("a person's token that may read alone is told so", func(t *testing.T) {
		token, err := w.repo.NewToken("linus", everything)
		check(t, err)
		c, err := promote.New(promote.Config{APIURL: w.server.URL(), Token: token, Repository: w.repo.Name()})
		check(t, err)
		seen := preflight.Run(t.Context(), c.LookAtRights(p.Number, promote.WriteStatuses))
		if f := seen.Findings[0]; f.State != preflight.Wrong || !strings.Contains(f.Fix, "needs statuses=write") {
			t.Errorf("found %+v", f)
		}
	})
	if asked := w.server.Requests(); len(asked) < 20 {
		t.Errorf("only %d requests were asked", len(asked))
	}
	if changes := w.server.Changes(); len(changes) > 0 {
		t.Errorf("it changed something: %+v", changes)
	}
	if all, err := w.repo.Statuses(p.Head); err != nil || len(all) > 0 {
		t.Errorf("it wrote statuses: %v, %v", all, err)
	}
}

func TestPreflightReadsTheRulesOfABranch(t *testing.T) {
	w := newWorld(t)
	c := w.promote(map[string]string{"contents": Read})
	look := c.LookAtBranch("main", promote.Wanted{Approvals: 1, Checks: []string{"promote/unit-test"}})
	for name, test := range map[string]struct {
		rules BranchRules
		want  string
	}{
		"none": {BranchRules{}, "noted noted noted noted noted noted"},
		"all": {BranchRules{PullRequest: true, Approvals: 2, DismissStale: true, NoForce: true, Strict: true, Checks: []string{"Promote/Unit-Test"}},
			"good good good good good good"},
		"a merge queue in place of branches that are up to date": {BranchRules{PullRequest: true, Approvals: 1, NoForce: true, MergeQueue: true}, "good good noted good good noted"},
		"classic protection": {BranchRules{Classic: true, PullRequest: true, Approvals: 1, Checks: []string{"promote/unit-test"}},
			"not known,not known,not known,not known,not known,good"},
	} {
		t.Run(name, func(t *testing.T) {
			check(t, w.repo.SetRules("main", test.rules))
			var got []string
			for _, f := range preflight.Run(t.Context(), look).Findings {
				got = append(got, f.State.String())
			}
			want := strings.Split(test.want, ",")
			if len(want) == 1 {
				want = strings.Fields(test.want)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	t.Run("a branch that is to come has rules by its name", func(t *testing.T) {
		check(t, w.repo.SetRules("release/2", BranchRules{PullRequest: true}))
		seen := preflight.Run(t.Context(), c.LookAtBranch("release/2", promote.Wanted{Approvals: -1}))
		if f := seen.Findings[0]; f.State != preflight.Good || f.Subject != "release/2: changes come by pull requests" {
			t.Errorf("found %+v", seen.Findings)
		}
	})
}

func TestPreflightReadsAnEnvironment(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	c := w.promote(map[string]string{"actions": Read})
	check(t, w.repo.SetEnvironment("open", Environment{}))
	check(t, w.repo.SetEnvironment("held", Environment{Reviewers: []string{"ada", "grace"}, Wait: 30}))
	check(t, w.repo.SetEnvironment("main/only", Environment{Refs: []string{"main", "tags/v*"}}))
	check(t, w.repo.SetEnvironment("protected", Environment{Protected: true}))
	for name, test := range map[string]struct{ environment, ref, want string }{
		"one that holds nobody up":             {"open", "refs/pull/1/merge", "good: nothing of it holds up a run of refs/pull/1/merge"},
		"reviewers and a timer":                {"held", "refs/heads/main", "noted: a job that names it waits for one of 2 reviewers; noted: a job that names it waits for 30 minutes"},
		"a branch that may":                    {"main/only", "refs/heads/main", "good: nothing of it holds up a run of refs/heads/main"},
		"a tag that may":                       {"main/only", "refs/tags/v1", "good: nothing of it holds up a run of refs/tags/v1"},
		"a pull request that may not":          {"main/only", "refs/pull/1/merge", "noted: only refs/heads/main, refs/tags/v* may deploy to it, and this run is of refs/pull/1/merge: GitHub refuses its job if that names it"},
		"a pull request is no protected one":   {"protected", "refs/pull/1/merge", "noted: only protected branches may deploy to it, and this run is of refs/pull/1/merge: GitHub refuses its job if that names it"},
		"one that the first deployment makes":  {"new", "refs/heads/main", "noted: GitHub has none yet, or the token may not see it; the first deployment makes it"},
		"a branch of a name that goes further": {"main/only", "refs/heads/main2", "noted: only refs/heads/main, refs/tags/v* may deploy to it, and this run is of refs/heads/main2: GitHub refuses its job if that names it"},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, f := range preflight.Run(ctx, c.LookAtEnvironment(test.environment, test.ref)).Findings {
				got = append(got, f.State.String()+": "+f.Told)
			}
			if diff := cmp.Diff(test.want, strings.Join(got, "; ")); diff != "" {
				t.Error(diff)
			}
		})
	}
	t.Run("a token that may not read it is not known, with the line to add", func(t *testing.T) {
		seen := preflight.Run(ctx, w.promote(map[string]string{"contents": Read}).LookAtEnvironment("open", "refs/heads/main"))
		if f := seen.Findings[0]; f.State != preflight.Unknown || !strings.Contains(f.Fix, "`actions: read`") {
			t.Errorf("found %+v", f)
		}
	})
}

func TestPreflightTellsTheClaimThatARoleTrusts(t *testing.T) {
	w := newWorld(t)
	reader := w.promote(map[string]string{"actions": Read})
	told := func(c *promote.Client, own promote.Identity) preflight.Finding {
		return preflight.Run(t.Context(), c.LookAtSubject(func(context.Context) (promote.Identity, error) { return own, nil })).Findings[0]
	}
	t.Run("the job's own", func(t *testing.T) {
		f := told(reader, promote.Identity{Issuer: "https://token.actions.githubusercontent.com", Subject: "repo:acme-1/checkout-2:pull_request"})
		if f.State != preflight.Noted || !strings.Contains(f.Told, "production's must not") ||
			!strings.Contains(f.Fix, `"token.actions.githubusercontent.com:sub": "repo:acme-1/checkout-2:pull_request"`) ||
			!strings.Contains(f.Fix, `"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"`) {
			t.Errorf("found %+v", f)
		}
	})
	t.Run("how it begins where there is no token", func(t *testing.T) {
		if f := told(reader, promote.Identity{}); f.State != preflight.Noted || !strings.HasSuffix(f.Told, "Its `sub` begins with repo:acme/checkout") {
			t.Errorf("found %+v", f)
		}
		check(t, w.repo.SetImmutableSubject(true))
		if f := told(reader, promote.Identity{}); !regexp.MustCompile(`begins with repo:acme-\d+/checkout-\d+$`).MatchString(f.Told) {
			t.Errorf("found %+v", f)
		}
	})
	t.Run("the repository's own form", func(t *testing.T) {
		check(t, w.repo.SetSubjectClaims("repo", "job_workflow_ref"))
		if f := told(reader, promote.Identity{}); !strings.Contains(f.Told, "made of repo, job_workflow_ref") {
			t.Errorf("found %+v", f)
		}
		if f := told(w.promote(nil), promote.Identity{}); !strings.Contains(f.Told, "could not be read (`actions: read`)") {
			t.Errorf("found %+v", f)
		}
	})
	if changes := w.server.Changes(); len(changes) > 0 {
		t.Errorf("it changed something: %+v", changes)
	}
}
