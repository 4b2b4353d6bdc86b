package github

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/go-github/v84/github"
)

const (
	// boardMarker begins the board's comment. It is an HTML comment, which Markdown hides; the rows follow it as JSON,
	// whose encoder writes > as \u003e and so cannot end it.
	boardMarker = "<!-- promote:board "
	markerEnd   = " -->"
	// boardTries is how often a row is written when others write the same comment.
	boardTries = 5
)

// BoardRow is what the board says about one commit in one environment.
type BoardRow struct {
	Environment string `json:"environment"`
	Commit      string `json:"commit"`
	Digest      string `json:"digest,omitempty"`
	// Result is a report.Status such as "success", or any other word.
	Result string `json:"result"`
	// Tests is what the tests there came to, in words: "12 tests passed, 1 skipped".
	Tests string `json:"tests,omitempty"`
	// Approvers are the people whose approval let it go there.
	Approvers []string `json:"approvers,omitempty"`
	// Share is how much of the traffic it has, in words: "25 % asked, 28 % of the pods, 27 % of the requests".
	Share string `json:"share,omitempty"`
	// URL leads to what was deployed, RunURL to the run.
	URL    string `json:"url,omitempty"`
	RunURL string `json:"runURL,omitempty"`
}

// UpdateBoard puts a row on the pull request's board: one comment, found again by a hidden marker and its author, with one
// row per commit and environment, the newest commit first. The other rows stay, up to what a comment can hold. GitHub has no
// conditional write, so the row is read back and written again if another job's write has just taken it off.
func (c *Client) UpdateBoard(ctx context.Context, pr int, row BoardRow) error {
	row = row.redacted(c.redact).bounded()
	err := c.editBoard(ctx, pr, func(rows []BoardRow) []BoardRow {
		if has(rows, row) {
			return rows
		}
		return withRow(rows, row)
	})
	if errors.Is(err, errBoardBusy) {
		return fmt.Errorf("%w (row %q)", err, row.Environment)
	}
	return err
}

var errBoardBusy = errors.New("other jobs keep writing over it")

// editBoard changes the board's rows until a change changes nothing any more.
func (c *Client) editBoard(ctx context.Context, pr int, edit func([]BoardRow) []BoardRow) error {
	made := int64(0)
	for range boardTries {
		comment, rows, err := c.board(ctx, pr)
		if err != nil {
			return err
		}
		if made != 0 && comment != nil && comment.GetID() != made {
			// Another job made the board at the same time, a moment earlier: ours is one too many.
			_, err = c.say.Issues.DeleteComment(ctx, c.owner, c.name, made)
			if err != nil && !notFound(err) {
				return explain(ctx, err, "pull-requests: write", "removing a second board from pull request #%d", pr)
			}
			made = 0
		}
		edited := edit(rows)
		if slices.EqualFunc(rows, edited, BoardRow.same) {
			return nil
		}
		body := &github.IssueComment{Body: github.Ptr(renderBoard(edited))}
		if comment == nil {
			comment, _, err = c.say.Issues.CreateComment(ctx, c.owner, c.name, pr, body)
			made = comment.GetID()
		} else {
			_, _, err = c.say.Issues.EditComment(ctx, c.owner, c.name, comment.GetID(), body)
		}
		if err != nil {
			return explain(ctx, err, "pull-requests: write", "updating the board of pull request #%d", pr)
		}
	}
	_, rows, err := c.board(ctx, pr)
	if err == nil && !slices.EqualFunc(rows, edit(rows), BoardRow.same) {
		err = fmt.Errorf("updating the board of pull request #%d: %w", pr, errBoardBusy)
	}
	return err
}

// board finds the comment and its rows: nil when there is none yet. When two jobs have made one each, the older counts.
// Anybody may write a comment with the marker, and could change it later, so that only one of the token's own account is it.
func (c *Client) board(ctx context.Context, pr int) (*github.IssueComment, []BoardRow, error) {
	options := &github.IssueListCommentsOptions{ListOptions: github.ListOptions{PerPage: 100}}
	for {
		page, response, err := c.say.Issues.ListComments(ctx, c.owner, c.name, pr, options)
		if err != nil {
			return nil, nil, explain(ctx, err, "pull-requests: write", "listing the comments of pull request #%d", pr)
		}
		for _, comment := range page {
			rows, marked := parseBoard(comment.GetBody())
			if !marked {
				continue
			}
			if own, err := c.wroteItself(ctx, comment); err != nil {
				return nil, nil, err
			} else if own {
				return comment, rows, nil
			}
		}
		if response.NextPage == 0 {
			return nil, nil, nil
		}
		options.Page = response.NextPage
	}
}

// parseBoard reads the rows from a comment's text, if it has the marker at its very start.
func parseBoard(text string) ([]BoardRow, bool) {
	after, marked := strings.CutPrefix(text, boardMarker)
	if !marked {
		return nil, false
	}
	data, _, _ := strings.Cut(after, markerEnd)
	var rows []BoardRow
	if json.Unmarshal([]byte(data), &rows) != nil {
		rows = nil // somebody edited it: start over in the same comment
	}
	return rows, true
}
