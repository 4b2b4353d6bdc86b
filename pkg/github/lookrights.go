package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/google/go-github/v84/github"

	"github.com/org/promote/pkg/preflight"
)

// area is where findings of this package stand.
const area = "GitHub"

// Right is a permission of a workflow's token, as it stands under permissions: of a job.
type Right string

// The rights that the actions need.
const (
	ReadContents     Right = "contents: read"
	ReadPulls        Right = "pull-requests: read"
	WritePulls       Right = "pull-requests: write"
	WriteStatuses    Right = "statuses: write"
	WriteDeployments Right = "deployments: write"
)

// What is asked for and cannot be done. No commit has the hash of zeros: git writes it where there is none. No ref ends in .lock: git refuses
// the name (git-check-ref-format).
const (
	noCommit = "0000000000000000000000000000000000000000"
	noRef    = "promote-preflight.lock"
)

// LookAtRights looks whether the token has the rights. GitHub does not tell what a workflow's token may do, so each right to write is
// tried on what cannot be: a status on a commit that no repository has, a deployment of a ref that cannot exist, an empty comment on the
// pull request. A token without the right is refused for that (403, or 404 for some tokens of people), one with it for what was asked
// (422). Nothing is ever written. pull is the number of the run's pull request, 0 for none: then nobody can be asked about comments.
func (c *Client) LookAtRights(pull int, rights ...Right) preflight.Look {
	return preflight.Look{Area: area, At: func(ctx context.Context) []preflight.Finding {
		var findings []preflight.Finding
		for _, right := range rights {
			findings = append(findings, c.lookAtRight(ctx, right, pull))
		}
		return findings
	}}
}

func (c *Client) lookAtRight(ctx context.Context, right Right, pull int) preflight.Finding {
	if right == WritePulls && pull == 0 {
		return preflight.Finding{Subject: string(right), Told: "this run belongs to no pull request, and it takes one to try"}
	}
	response, err := c.try(ctx, right, pull)
	return judgeRight(ctx, right, response, err)
}

// try asks for what needs the right.
func (c *Client) try(ctx context.Context, right Right, pull int) (*github.Response, error) {
	one := github.ListOptions{PerPage: 1}
	var response *github.Response
	var err error
	switch right {
	case ReadContents:
		_, response, err = c.say.Repositories.ListCommits(ctx, c.owner, c.name, &github.CommitsListOptions{ListOptions: one})
	case ReadPulls:
		_, response, err = c.say.PullRequests.List(ctx, c.owner, c.name, &github.PullRequestListOptions{ListOptions: one})
	case WritePulls:
		_, response, err = c.say.Issues.CreateComment(ctx, c.owner, c.name, pull, &github.IssueComment{Body: github.Ptr("")})
	case WriteStatuses:
		_, response, err = c.say.Repositories.CreateStatus(ctx, c.owner, c.name, noCommit, github.RepoStatus{State: github.Ptr(Pending), Context: github.Ptr("promote/preflight")})
	case WriteDeployments:
		_, response, err = c.say.Repositories.CreateDeployment(ctx, c.owner, c.name, &github.DeploymentRequest{
			Ref: github.Ptr(noRef), AutoMerge: github.Ptr(false), RequiredContexts: &[]string{}, Environment: github.Ptr("promote-preflight"),
		})
	default:
		err = fmt.Errorf("nothing is known that needs %q", right)
	}
	return response, err
}

// judgeRight says what an answer means for a right.
func judgeRight(ctx context.Context, right Right, response *github.Response, err error) preflight.Finding {
	finding := preflight.Finding{Subject: string(right), State: preflight.Good, Told: "the token has it"}
	writes := strings.HasSuffix(string(right), ": write")
	switch {
	case err == nil && !writes:
		return finding
	case err == nil:
		finding.State, finding.Told = preflight.Unknown, "GitHub took what it must refuse; report that to promote's makers"
		return finding
	case writes && refusedAs(err, http.StatusUnprocessableEntity):
		return finding
	case refusedAs(err, http.StatusUnauthorized):
		finding.State, finding.Told, finding.Fix = preflight.Wrong, "GitHub does not accept the token", "set the input `github-token` to `${{ github.token }}`"
		return finding
	}
	var missing *PermissionError
	denied := errors.As(explain(ctx, err, string(right), "asking"), &missing)
	if denied || refusedAs(err, http.StatusNotFound) {
		finding.State, finding.Told, finding.Fix = preflight.Wrong, "the token lacks it: GitHub says "+refusal(err), grant(right, response)
		return finding
	}
	finding.State, finding.Told = preflight.Unknown, explain(ctx, err, string(right), "asking").Error()
	return finding
}

// refusal is GitHub's own text.
func refusal(err error) string {
	var answer *github.ErrorResponse
	if errors.As(err, &answer) && answer.Message != "" {
		return fmt.Sprintf("%q", said(answer.Message))
	}
	return err.Error()
}

// grant says how the token gets the right, which depends on whose it is: a classic token tells its scopes.
func grant(right Right, response *github.Response) string {
	fix := fmt.Sprintf("add `%s` under `permissions:` of the workflow's job", right)
	if response == nil {
		return fix
	}
	if scopes := response.Header.Values("X-OAuth-Scopes"); len(scopes) > 0 {
		return fmt.Sprintf("give the personal token in the input `github-token` the scope `repo` (it has: %s), or set it to `${{ github.token }}`", strings.Join(scopes, ", "))
	}
	if accepted := response.Header.Get("X-Accepted-GitHub-Permissions"); accepted != "" {
		fix += fmt.Sprintf("; a fine-grained token or an app needs %s", accepted)
	}
	return fix
}
