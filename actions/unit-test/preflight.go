package main

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/org/promote/pkg/change"
	"github.com/org/promote/pkg/gha"
	"github.com/org/promote/pkg/github"
	"github.com/org/promote/pkg/preflight"
	"github.com/org/promote/pkg/workflow"
)

// dryRun looks at all that a run needs, and tells what is to change. It tests nothing and sets no status. problems are those of the inputs.
func dryRun(ctx context.Context, a *gha.Action, in inputs, problems error) error {
	a.Mask(in.token)
	env := a.Env()
	var wrong *gha.InputError
	var texts []string
	if errors.As(problems, &wrong) {
		texts = wrong.Problems
	}
	looks := []preflight.Look{
		{Area: "inputs", At: func(context.Context) []preflight.Finding { return preflight.Inputs(texts) }},
		{Area: "command", At: func(context.Context) []preflight.Finding { return lookAtCommand(in) }},
		{Area: "reports", At: func(context.Context) []preflight.Finding { return lookAtReports(in) }},
	}
	var tree atomic.Value
	tree.Store("")
	gh, err := github.New(github.Config{APIURL: env.APIURL, Token: in.token, Repository: env.Repository, Redact: a.Redact})
	if err != nil {
		looks = append(looks, preflight.Look{Area: "GitHub", At: func(context.Context) []preflight.Finding { return preflight.Refused("GitHub", "API", err) }})
	} else {
		rights := []github.Right{github.ReadContents, github.WriteStatuses}
		if in.reuse {
			rights = append(rights, github.ReadPulls)
		}
		looks = append(looks,
			preflight.Look{Area: "checkout", At: func(ctx context.Context) []preflight.Finding {
				findings, found := lookAtCheckout(ctx, a, gh, in)
				tree.Store(found)
				return findings
			}},
			gh.LookAtRights(0, rights...),
			gh.LookAtBranch("", github.Wanted{Approvals: -1, Checks: []string{statusContext}}))
	}
	seen := preflight.Run(ctx, append(looks, workflow.Look(in.workspace, workflow.Root(env.ActionPath)))...)
	for _, line := range seen.Lines() {
		a.Infof("%s", line)
	}
	return errors.Join(seen.Err(), a.SetOutput("result", "planned"), a.SetOutput("tree", tree.Load().(string)), a.Summary(seen.Markdown()))
}

// lookAtCheckout says which commit lies here, and what a run would do with it.
func lookAtCheckout(ctx context.Context, a *gha.Action, gh *github.Client, in inputs) (findings []preflight.Finding, tree string) {
	src, err := theSource(ctx, a, gh, in)
	if err != nil {
		return preflight.Refused("checkout", "commit", err), ""
	}
	commit := preflight.Finding{Subject: "commit", State: preflight.Good, Told: fmt.Sprintf("%s is checked out (tree %s)", change.Short(src.Head), change.Short(src.Tree))}
	result := preflight.Finding{Subject: "earlier result", State: preflight.Noted, Told: "there is none of this tree, so a run would test it"}
	if !src.exact {
		commit.State, commit.Told = preflight.Noted, fmt.Sprintf("what lies here is not exactly commit %s, so a run would prove nothing about its tree", change.Short(src.Head))
	}
	found, ok := earlier(ctx, a, gh, in, src)
	switch {
	case ok:
		result.Told = fmt.Sprintf("the tree passed as commit %s (%s), so a run would reuse that", change.Short(found.commit), found.run)
	case !in.reuse:
		result.Told = "`reuse` is off, so a run would test"
	}
	return []preflight.Finding{commit, result}, src.Tree
}
