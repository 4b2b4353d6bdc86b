package github

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/google/go-github/v84/github"
	"github.com/org/promote/pkg/change"
	"github.com/org/promote/pkg/report"
)

const (
	// boardMarker begins the board's comment. It is an HTML comment, which Markdown hides; the rows follow it as JSON,
	// whose encoder writes > as \u003e and so cannot end it.
	boardMarker = "<!-- promote:board "
	markerEnd   = " -->"
	// boardTries is how often a row is written when others write the same comment.
	boardTries = 5
)

// BoardRow is what the board says about one environment.
type BoardRow struct {
	Environment string `json:"environment"`
	Commit      string `json:"commit"`
	Digest      string `json:"digest,omitempty"`
	// Result is a report.Status such as "success", or any other word.
	Result string `json:"result"`
	// URL leads to what was deployed, RunURL to the run.
	URL    string `json:"url,omitempty"`
	RunURL string `json:"runURL,omitempty"`
}

// UpdateBoard puts a row on the pull request's board: one comment, which is found again by a hidden marker, with one row per
// environment in the order in which they first came. The rows of other environments stay. GitHub has no conditional write,
// so the row is read back and written again if another job's write has just taken it off.
func (c *Client) UpdateBoard(ctx context.Context, pr int, row BoardRow) error {
	made := int64(0)
	for range boardTries {
		comment, rows, err := c.board(ctx, pr)
		if err != nil {
			return err
		}
		if made != 0 && comment != nil && comment.GetID() != made {
			// Another job made the board at the same time, a moment earlier: ours is one too many.
			_, err = c.api.Issues.DeleteComment(ctx, c.owner, c.name, made)
			if err != nil && !notFound(err) {
				return explain(ctx, err, "pull-requests: write", "removing a second board from pull request #%d", pr)
			}
			made = 0
		}
		if slices.Contains(rows, row) {
			return nil
		}
		body := &github.IssueComment{Body: github.Ptr(renderBoard(withRow(rows, row)))}
		if comment == nil {
			comment, _, err = c.api.Issues.CreateComment(ctx, c.owner, c.name, pr, body)
			made = comment.GetID()
		} else {
			_, _, err = c.api.Issues.EditComment(ctx, c.owner, c.name, comment.GetID(), body)
		}
		if err != nil {
			return explain(ctx, err, "pull-requests: write", "updating the board of pull request #%d", pr)
		}
	}
	_, rows, err := c.board(ctx, pr)
	if err == nil && !slices.Contains(rows, row) {
		err = fmt.Errorf("updating the board of pull request #%d: other jobs keep writing over the row %q", pr, row.Environment)
	}
	return err
}

// board finds the comment and its rows: nil when there is none yet. When two jobs have made one each, the older counts.
func (c *Client) board(ctx context.Context, pr int) (*github.IssueComment, []BoardRow, error) {
	options := &github.IssueListCommentsOptions{ListOptions: github.ListOptions{PerPage: 100}}
	for {
		page, response, err := c.api.Issues.ListComments(ctx, c.owner, c.name, pr, options)
		if err != nil {
			return nil, nil, explain(ctx, err, "pull-requests: write", "listing the comments of pull request #%d", pr)
		}
		for _, comment := range page {
			if rows, ok := parseBoard(comment); ok {
				return comment, rows, nil
			}
		}
		if response.NextPage == 0 {
			return nil, nil, nil
		}
		options.Page = response.NextPage
	}
}

// parseBoard reads the rows from a comment that is a board. Anybody may write a comment with the marker, and could change it
// later: only those of bots (the workflow's token) and of people who belong to the repository (a token of theirs) count.
func parseBoard(comment *github.IssueComment) ([]BoardRow, bool) {
	trusted := comment.GetUser().GetType() == "Bot" ||
		slices.Contains([]string{"OWNER", "MEMBER", "COLLABORATOR"}, comment.GetAuthorAssociation())
	after, ok := strings.CutPrefix(comment.GetBody(), boardMarker)
	if !ok || !trusted {
		return nil, false
	}
	data, _, _ := strings.Cut(after, markerEnd)
	var rows []BoardRow
	if json.Unmarshal([]byte(data), &rows) != nil {
		rows = nil // somebody edited it: start over in the same comment
	}
	return rows, true
}

// withRow replaces the environment's row or adds one.
func withRow(rows []BoardRow, row BoardRow) []BoardRow {
	for i := range rows {
		if rows[i].Environment == row.Environment {
			rows = slices.Clone(rows)
			rows[i] = row
			return rows
		}
	}
	return append(slices.Clone(rows), row)
}

// renderBoard gives the comment's text.
func renderBoard(rows []BoardRow) string {
	data, err := json.Marshal(rows)
	if err != nil {
		panic(err) // strings only
	}
	table := make([][]string, len(rows))
	for i, row := range rows {
		result := report.Status(row.Result).String()
		if row.RunURL != "" {
			result = report.Link(result, row.RunURL)
		}
		place := report.Escape(row.Environment)
		if row.URL != "" {
			place = report.Link(place, row.URL)
		}
		table[i] = []string{place, result, report.Inline(change.Short(row.Commit)), report.Inline(shortDigest(row.Digest))}
	}
	return boardMarker + string(data) + markerEnd + "\n### Promotion\n\n" +
		report.Table([]string{"Environment", "Result", "Commit", "Image"}, table)
}

// shortDigest keeps enough of a digest to compare by eye.
func shortDigest(digest string) string {
	const length = len("sha256:") + 12
	if len(digest) > length {
		return digest[:length]
	}
	return digest
}
