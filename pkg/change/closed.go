package change

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// Closed reads the event that ends a pull request, merged or not; closed is false for every other event. It brings no commit to
// promote ([FromEvent] says so too), only something to remove. One from a fork is Neutral: it never got anything.
func Closed(event string, data []byte) (c Change, closed bool, err error) {
	if event != "pull_request" {
		return Change{}, false, nil
	}
	var p payload
	if err := json.Unmarshal(data, &p); err != nil {
		return Change{}, false, fmt.Errorf("reading the payload of event %q: %w", event, err)
	}
	if p.Action != "closed" {
		return Change{}, false, nil
	}
	pr := p.Pull
	switch {
	case pr == nil:
		return Change{}, true, errors.New("reading the payload of event \"pull_request\": it has no pull_request")
	case pr.Number <= 0:
		return Change{}, true, fmt.Errorf("reading pull_request.number %d: not a pull request's number", pr.Number)
	case pr.Head.Repo != nil && !strings.EqualFold(pr.Head.Repo.FullName, p.Repository.FullName):
		return Change{}, true, neutral("fork", "pull request #%d comes from a fork, and forks get no environment and no secret", pr.Number)
	}
	// No repository at all is a fork that is gone, or a branch of this one that is hard to tell from it: what is not there is not
	// removed, so asking costs nothing.
	c = Change{
		Repository: p.Repository.FullName, Event: event, PullRequest: pr.Number, Head: pr.Head.SHA,
		HeadRef: pr.Head.Ref, BaseRef: pr.Base.Ref, Title: titled(pr.Title), Author: told(pr.User.Login),
	}
	return c, true, errors.Join(CheckRepository("repository.full_name", c.Repository), CheckCommit("pull_request.head.sha", c.Head))
}
