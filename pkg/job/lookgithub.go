package job

import (
	"context"
	"strings"

	"github.com/org/promote/pkg/change"
	"github.com/org/promote/pkg/gha"
	"github.com/org/promote/pkg/github"
	"github.com/org/promote/pkg/preflight"
	"github.com/org/promote/pkg/workflow"
)

// told are the rights of the token by which deploy and canary read what to bring out, and say what becomes of it.
var told = []github.Right{github.ReadContents, github.WritePulls, github.WriteStatuses, github.WriteDeployments}

// GitHubLooks look at the token's rights, the environment, the branch that changes are merged to, who the job is to AWS, and where the
// workflow files have drifted from this version. environment is as GitHub shows it.
func GitHubLooks(a *gha.Action, gh *github.Client, in Inputs, ch change.Change, environment string) []preflight.Look {
	return []preflight.Look{
		gh.LookAtRights(ch.PullRequest, told...),
		gh.LookAtEnvironment(environment, a.Env().Ref),
		gh.LookAtBranch(baseOf(a.Env(), ch), github.Wanted{Approvals: in.Approvals, Checks: []string{"promote/unit-test"}}),
		gh.LookAtSubject(func(ctx context.Context) (github.Identity, error) {
			issuer, subject, err := a.Identity(ctx, github.Audience)
			return github.Identity{Issuer: issuer, Subject: subject}, err
		}),
		workflow.Look(a.Env().Workspace, workflow.Root(a.Env().ActionPath)),
	}
}

// baseOf is the branch that a change is merged to: that of its pull request, or the one that the run is of.
func baseOf(env gha.Env, ch change.Change) string {
	if ch.BaseRef != "" {
		return ch.BaseRef
	}
	if branch, is := strings.CutPrefix(env.Ref, "refs/heads/"); is {
		return branch
	}
	return "main"
}
