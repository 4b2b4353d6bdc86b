package github

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/google/go-github/v84/github"

	"github.com/org/promote/pkg/preflight"
)

// Wanted is what a run relies on of the branch that changes are merged to.
type Wanted struct {
	// Approvals is the input required-approvals; less than 0 where the action has none.
	Approvals int
	// Checks are the contexts of statuses that should be required before a merge: promote/unit-test.
	Checks []string
}

// branchRules are the rules of a branch that matter here.
type branchRules struct {
	// readable is false for a branch with classic protection, of which a workflow's token is told the checks alone.
	readable bool
	// pull says that changes come by pull requests; approvals and stale are what these need.
	pull      bool
	approvals int
	// stale says that an approval of an older commit goes on counting.
	stale          bool
	forced, strict bool
	queue          bool
	checks         []string
}

// LookAtBranch looks at the rules of the branch that changes are merged to, such as main; "" is the repository's default one. None of them is needed: an action asks for approvals
// and trees itself. But what the rules let in and the actions then refuse stands on the branch, and cannot go to production.
func (c *Client) LookAtBranch(branch string, want Wanted) preflight.Look {
	return preflight.Look{Area: area, At: func(ctx context.Context) []preflight.Finding {
		branch, err := c.orDefault(ctx, branch)
		if err != nil {
			return []preflight.Finding{{Subject: "default branch", Told: err.Error()}}
		}
		rules, err := c.rulesOf(ctx, branch)
		if err != nil {
			return []preflight.Finding{{Subject: branch + ": rules", Told: err.Error()}}
		}
		return judgeBranch(branch, rules, want)
	}}
}

func (c *Client) orDefault(ctx context.Context, branch string) (string, error) {
	if branch != "" {
		return branch, nil
	}
	repository, _, err := c.say.Repositories.Get(ctx, c.owner, c.name)
	return repository.GetDefaultBranch(), explain(ctx, err, "metadata: read", "reading the repository")
}

// rulesOf reads the rules of rulesets, which everybody may who sees the repository, and what can be seen of classic protection.
func (c *Client) rulesOf(ctx context.Context, branch string) (branchRules, error) {
	rules := branchRules{readable: true, forced: true, stale: true}
	options := &github.ListOptions{PerPage: 100}
	for {
		page, response, err := c.say.Repositories.GetRulesForBranch(ctx, c.owner, c.name, url.PathEscape(branch), options)
		if err != nil {
			return rules, explain(ctx, err, "metadata: read", "reading the rules of branch %q", branch)
		}
		rules.add(page)
		if response.NextPage == 0 {
			break
		}
		options.Page = response.NextPage
	}
	request, err := c.say.NewRequest(http.MethodGet, fmt.Sprintf("repos/%s/%s/branches/%s", c.owner, c.name, url.PathEscape(branch)), nil)
	if err != nil {
		return rules, err
	}
	var classic struct { // the library's type has no `enabled`, which tells classic protection from rulesets
		Protection struct {
			Enabled bool `json:"enabled"`
			Checks  struct {
				Contexts []string `json:"contexts"`
			} `json:"required_status_checks"`
		} `json:"protection"`
	}
	_, err = c.say.Do(ctx, request, &classic)
	if err != nil && !refusedAs(err, http.StatusNotFound) { // a branch that is to come has rules by its name
		return rules, explain(ctx, err, "contents: read", "reading branch %q", branch)
	}
	rules.readable = !classic.Protection.Enabled
	rules.checks = append(rules.checks, classic.Protection.Checks.Contexts...)
	return rules, nil
}

// add takes the rules of one answer in. Where several rulesets speak, the strictest counts, as on GitHub.
func (r *branchRules) add(page *github.BranchRules) {
	for _, rule := range page.PullRequest {
		r.stale = r.stale && !rule.Parameters.DismissStaleReviewsOnPush
		r.pull, r.approvals = true, max(r.approvals, rule.Parameters.RequiredApprovingReviewCount)
	}
	for _, rule := range page.RequiredStatusChecks {
		r.strict = r.strict || rule.Parameters.StrictRequiredStatusChecksPolicy
		for _, check := range rule.Parameters.RequiredStatusChecks {
			r.checks = append(r.checks, check.Context)
		}
	}
	r.forced = r.forced && len(page.NonFastForward) == 0
	r.queue = r.queue || len(page.MergeQueue) > 0
}

// judgeBranch compares the rules with what a run relies on.
func judgeBranch(branch string, r branchRules, want Wanted) []preflight.Finding {
	const classic = "the branch has classic protection, of which a workflow's token is not told this"
	var findings []preflight.Finding
	add := func(subject string, good bool, told, instead, fix string) {
		f := preflight.Finding{Subject: branch + ": " + subject, State: preflight.Good, Told: told}
		switch {
		case good:
		case !r.readable:
			f.State, f.Told = preflight.Unknown, classic
		default:
			f.State, f.Told, f.Fix = preflight.Noted, instead, fix
		}
		findings = append(findings, f)
	}
	set := func(rule string) string { return fmt.Sprintf("%s in a ruleset for `%s`", rule, branch) }
	add("changes come by pull requests", r.pull, "a pull request is required",
		"anybody who may write can push to it directly, and such a commit goes no further than here", set("require a pull request before merging"))
	if want.Approvals > 0 {
		add("approvals", r.pull && r.approvals >= want.Approvals, fmt.Sprintf("%d required, %d asked for by `required-approvals`", r.approvals, want.Approvals),
			fmt.Sprintf("a merge takes %d, and `required-approvals` asks for %d: what was merged with fewer is refused", r.approvals, want.Approvals),
			set(fmt.Sprintf("require %d approvals", want.Approvals)))
		add("approvals of older commits", r.pull && !r.stale, "dismissed when a commit is pushed",
			"a merge takes them, and promote counts those of the merged commit alone", set("dismiss stale approvals when new commits are pushed"))
	}
	add("history", !r.forced, "force pushes are blocked", "force pushes may take away the commit that serves", set("block force pushes"))
	add("merged is what was tested", r.strict || r.queue, "branches must be up to date before they are merged",
		"a branch that is behind may be merged; the merge has then another tree than the one that was tested, and is refused",
		set("require branches to be up to date before merging, or a merge queue,"))
	var missing []string
	for _, check := range want.Checks {
		if !slices.ContainsFunc(r.checks, func(have string) bool { return strings.EqualFold(have, check) }) {
			missing = append(missing, check)
		}
	}
	if len(want.Checks) > 0 {
		f := preflight.Finding{Subject: branch + ": required checks", State: preflight.Good, Told: listed(r.checks)}
		if len(missing) > 0 {
			f.State, f.Fix = preflight.Noted, set("require the status check `"+strings.Join(missing, "`, `")+"`")
		}
		findings = append(findings, f)
	}
	return findings
}

func listed(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}
