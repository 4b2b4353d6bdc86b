package github

import (
	"context"
	"slices"

	"github.com/google/go-github/v84/github"
)

// retirePages bounds how many deployments of an environment are looked at, a hundred a page.
const retirePages = 3

// RetireDeployments marks the deployments to an environment inactive, all but the one to keep (0 keeps none): GitHub does that by
// itself for older ones, but not in a transient environment. One that has failed stays failed.
func (c *Client) RetireDeployments(ctx context.Context, environment string, keep int64, s DeploymentStatus) error {
	s.State = Inactive
	options := &github.DeploymentsListOptions{Environment: environment, ListOptions: github.ListOptions{PerPage: 100}}
	for range retirePages {
		page, response, err := c.say.Repositories.ListDeployments(ctx, c.owner, c.name, options)
		if err != nil {
			return explain(ctx, err, "deployments: write", "listing the deployments to %q", environment)
		}
		for _, d := range page {
			if d.GetID() == keep {
				continue
			}
			statuses, _, err := c.say.Repositories.ListDeploymentStatuses(ctx, c.owner, c.name, d.GetID(), &github.ListOptions{PerPage: 1})
			if err != nil {
				return explain(ctx, err, "deployments: write", "listing the statuses of deployment %d", d.GetID())
			}
			if len(statuses) > 0 && slices.Contains([]State{Inactive, Failure, Broken}, statuses[0].GetState()) {
				continue
			}
			if err := c.SetDeploymentStatus(ctx, d.GetID(), s); err != nil {
				return err
			}
		}
		if response.NextPage == 0 {
			return nil
		}
		options.Page = response.NextPage
	}
	return nil
}

// RetireBoard says on a pull request's board that what an environment had is gone: its rows get the result and lose their links
// to it. Where it had nothing, nothing is written.
func (c *Client) RetireBoard(ctx context.Context, pr int, environment, result, runURL string) error {
	return c.editBoard(ctx, pr, func(rows []BoardRow) []BoardRow {
		rows = slices.Clone(rows)
		for i, row := range rows {
			if row.Environment == environment && (row.URL != "" || row.Result == "deployed" || row.Result == "unchanged") {
				rows[i].Result, rows[i].URL, rows[i].RunURL = result, "", runURL
			}
		}
		return rows
	})
}
