package github

import (
	"context"

	"github.com/google/go-github/v84/github"
	"github.com/org/promote/pkg/change"
)

// State is the state of a commit status or of a deployment, in GitHub's own words.
type State = string

// Commit statuses use pending, success, failure and error; deployments use in_progress, success, failure, error and inactive.
const (
	Pending    State = "pending"
	InProgress State = "in_progress"
	Success    State = "success"
	Failure    State = "failure"
	Broken     State = "error"
	Inactive   State = "inactive"
)

// descriptionCap is the longest description of a status that GitHub takes, in characters; longer ones are a 422.
const descriptionCap = 140

// Status is one line below a commit.
type Status struct {
	// Context names the check, for instance promote/unit-test.
	Context string
	State   State
	// Description is a sentence for people; more than 140 characters are cut.
	Description string
	// URL leads to the run; empty leaves it out.
	URL string
}

// SetStatus writes a status on a commit. The last one of a context counts.
func (c *Client) SetStatus(ctx context.Context, sha string, s Status) error {
	if err := change.CheckCommit("commit", sha); err != nil {
		return err
	}
	_, _, err := c.say.Repositories.CreateStatus(ctx, c.owner, c.name, sha, github.RepoStatus{
		State: github.Ptr(s.State), Context: github.Ptr(s.Context),
		Description: github.Ptr(c.description(s.Description)), TargetURL: c.address(s.URL),
	})
	return explain(ctx, err, "statuses: write", "setting status %q on commit %q", s.Context, sha)
}

// Statuses lists the statuses of a commit, newest first, with older ones of the same context.
func (c *Client) Statuses(ctx context.Context, sha string) ([]Status, error) {
	if err := change.CheckCommit("commit", sha); err != nil {
		return nil, err
	}
	var all []Status
	options := &github.ListOptions{PerPage: 100}
	for {
		page, response, err := c.api.Repositories.ListStatuses(ctx, c.owner, c.name, sha, options)
		if err != nil {
			return nil, explain(ctx, err, "statuses: read", "listing the statuses of commit %q", sha)
		}
		for _, s := range page {
			all = append(all, Status{
				Context: s.GetContext(), State: s.GetState(),
				Description: s.GetDescription(), URL: s.GetTargetURL(),
			})
		}
		if response.NextPage == 0 {
			return all, nil
		}
		options.Page = response.NextPage
	}
}

// cut shortens text to most characters and shows that it did.
func cut(text string, most int) string {
	runes := []rune(text)
	if len(runes) <= most {
		return text
	}
	return string(runes[:most-1]) + "…"
}
