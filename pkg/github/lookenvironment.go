package github

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/google/go-github/v84/github"

	"github.com/org/promote/pkg/preflight"
)

// environment is how GitHub guards an environment. It guards jobs alone that name it with `environment:`.
type environment struct {
	exists    bool
	reviewers int
	wait      int // minutes
	// protected says that only branches with protection may deploy; patterns are the refs that may, nil where no pattern says so.
	protected bool
	patterns  []string
	custom    bool
}

// LookAtEnvironment looks at an environment of GitHub's: whether it is there, what holds up a job that names it, and whether a run of ref, for
// instance refs/heads/main or refs/pull/7/merge, may deploy to it.
func (c *Client) LookAtEnvironment(name, ref string) preflight.Look {
	return preflight.Look{Area: area, At: func(ctx context.Context) []preflight.Finding {
		found, err := c.environment(ctx, name)
		if refusedAs(err, http.StatusForbidden) {
			return []preflight.Finding{{Subject: subjectOf(name), Told: "the token may not read environments: GitHub says " + refusal(err), Fix: "to have it looked at, add `actions: read` under `permissions:` of this job"}}
		}
		if err != nil {
			return []preflight.Finding{{Subject: subjectOf(name), Told: explain(ctx, err, "actions: read", "reading environment %q", name).Error()}}
		}
		return judgeEnvironment(name, ref, found)
	}}
}

func subjectOf(environment string) string { return "environment " + environment }

// environment reads one; that there is none is no error.
func (c *Client) environment(ctx context.Context, name string) (environment, error) {
	found, _, err := c.say.Repositories.GetEnvironment(ctx, c.owner, c.name, url.PathEscape(name))
	if refusedAs(err, http.StatusNotFound) {
		return environment{}, nil
	}
	if err != nil {
		return environment{}, err
	}
	e := environment{exists: true}
	for _, rule := range found.ProtectionRules {
		e.reviewers = max(e.reviewers, len(rule.Reviewers))
		e.wait = max(e.wait, rule.GetWaitTimer())
	}
	policy := found.GetDeploymentBranchPolicy()
	e.protected, e.custom = policy.GetProtectedBranches(), policy.GetCustomBranchPolicies()
	if !e.custom {
		return e, nil
	}
	options := &github.ListOptions{PerPage: 100}
	for {
		page, response, err := c.say.Repositories.ListDeploymentBranchPolicies(ctx, c.owner, c.name, url.PathEscape(name), options)
		if err != nil {
			return environment{}, err
		}
		for _, each := range page.BranchPolicies {
			e.patterns = append(e.patterns, prefixed(each))
		}
		if response.NextPage == 0 {
			return e, nil
		}
		options.Page = response.NextPage
	}
}

// prefixed is a pattern as of a whole ref. A policy is of branches unless it says that it is of tags, and may name a ref in full.
func prefixed(policy *github.DeploymentBranchPolicy) string {
	switch {
	case strings.HasPrefix(policy.GetName(), "refs/"):
		return policy.GetName()
	case policy.GetType() == "tag":
		return "refs/tags/" + policy.GetName()
	}
	return "refs/heads/" + policy.GetName()
}

// judgeEnvironment says what an environment does to a job of ref that names it.
func judgeEnvironment(name, ref string, e environment) []preflight.Finding {
	noted := func(told, fix string) preflight.Finding {
		return preflight.Finding{Subject: subjectOf(name), State: preflight.Noted, Told: told, Fix: fix}
	}
	if !e.exists {
		return []preflight.Finding{noted("GitHub has none yet, or the token may not see it; the first deployment makes it", "")}
	}
	const leave = "leave `environment:` out of the job, or change the environment in the repository's settings"
	var findings []preflight.Finding
	if e.reviewers > 0 {
		findings = append(findings, noted(fmt.Sprintf("a job that names it waits for one of %d reviewers", e.reviewers), "if it should start by itself, "+leave))
	}
	if e.wait > 0 {
		findings = append(findings, noted(fmt.Sprintf("a job that names it waits for %d minutes", e.wait), "if it should start at once, "+leave))
	}
	switch {
	case e.protected && !strings.HasPrefix(ref, "refs/heads/"):
		findings = append(findings, noted(fmt.Sprintf("only protected branches may deploy to it, and this run is of %s: GitHub refuses its job if that names it", ref), leave))
	case e.custom && !allows(e.patterns, ref):
		findings = append(findings, noted(fmt.Sprintf("only %s may deploy to it, and this run is of %s: GitHub refuses its job if that names it", listed(e.patterns), ref), leave))
	}
	if len(findings) == 0 {
		findings = append(findings, preflight.Finding{Subject: subjectOf(name), State: preflight.Good, Told: "nothing of it holds up a run of " + ref})
	}
	return findings
}

// allows matches as GitHub does, with Ruby's File.fnmatch: a star stands for no slash.
func allows(patterns []string, ref string) bool {
	for _, pattern := range patterns {
		if ok, err := path.Match(pattern, ref); ok && err == nil {
			return true
		}
	}
	return false
}
