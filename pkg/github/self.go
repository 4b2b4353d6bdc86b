package github

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"

	"github.com/google/go-github/v84/github"
)

// self is the person the token belongs to, once somebody wanted to know.
type self struct {
	mu    sync.Mutex
	known bool
	login string
}

// wroteItself says whether the token's own account wrote a comment. A workflow's token is a bot's, and so is an app's. One of
// a person writes in that person's name, who is asked for only when a person's comment looks like one of ours.
func (c *Client) wroteItself(ctx context.Context, comment *github.IssueComment) (bool, error) {
	if comment.GetUser().GetType() == "Bot" {
		return true, nil
	}
	c.self.mu.Lock()
	defer c.self.mu.Unlock()
	if !c.self.known {
		me, _, err := c.say.Users.Get(ctx, "")
		switch {
		case refusedAs(err, http.StatusForbidden), refusedAs(err, http.StatusNotFound):
			// An installation's token belongs to nobody.
		case err != nil:
			return false, explain(ctx, err, "metadata: read", "asking whom the token belongs to")
		}
		c.self.login, c.self.known = me.GetLogin(), true
	}
	return c.self.login != "" && strings.EqualFold(comment.GetUser().GetLogin(), c.self.login), nil
}

// refusedAs says whether GitHub answered with the status.
func refusedAs(err error, status int) bool {
	var answer *github.ErrorResponse
	return errors.As(err, &answer) && answer.Response != nil && answer.Response.StatusCode == status
}
