package github

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// States of a review, as REST writes them; webhooks write them in lower case.
const (
	Approved         = "APPROVED"
	ChangesRequested = "CHANGES_REQUESTED"
	Commented        = "COMMENTED"
	Dismissed        = "DISMISSED"
	Pending          = "PENDING"
)

// reviewStates maps the `event` of a new review to its state.
var reviewStates = map[string]string{"APPROVE": Approved, "REQUEST_CHANGES": ChangesRequested, "COMMENT": Commented, "": Pending}

// Review is one review of a pull request.
type Review struct {
	ID     int64     `json:"id"`
	By     string    `json:"by"`
	State  string    `json:"state"`
	Body   string    `json:"body"`
	Commit string    `json:"commit"` // the head that was reviewed
	Time   time.Time `json:"time"`
}

// Approve approves the pull request's head as it is now and returns the pull_request_review payload.
func (r *Repository) Approve(ctx context.Context, number int, by string) (Event, error) {
	return r.Review(ctx, number, by, "APPROVE", "")
}

// Review reviews with an event of the API: APPROVE, REQUEST_CHANGES or COMMENT. The last two need a body.
func (r *Repository) Review(ctx context.Context, number int, by, event, body string) (Event, error) {
	return r.act(ctx, by, func(repo *repository) (Event, error) {
		p := repo.pull(number)
		if p == nil {
			return Event{}, notFound()
		}
		_, made, err := r.s.review(ctx, repo, p, by, newReview{Event: event, Body: body})
		return made, err
	})
}

// newReview is the body of POST reviews.
type newReview struct {
	Commit string `json:"commit_id"`
	Body   string `json:"body"`
	Event  string `json:"event"`
}

func (s *Server) review(ctx context.Context, repo *repository, p *PullRequest, by string, in newReview) (*Review, Event, error) {
	state, known := reviewStates[in.Event]
	if !known {
		return nil, Event{}, unprocessable("Variable $event of type PullRequestReviewEvent was provided invalid value")
	}
	if state == Approved && key(by) == key(Bot) {
		return nil, Event{}, unprocessable("GitHub Actions is not permitted to approve pull requests.")
	}
	if state == Approved && key(by) == key(p.Author) {
		return nil, Event{}, unprocessable("Can not approve your own pull request")
	}
	if state == ChangesRequested && key(by) == key(p.Author) {
		return nil, Event{}, unprocessable("Can not request changes on your own pull request")
	}
	if (state == ChangesRequested || state == Commented) && strings.TrimSpace(in.Body) == "" {
		return nil, Event{}, unprocessable("Body can not be blank")
	}
	if repo.role(by) == "none" {
		return nil, Event{}, notFound()
	}
	if in.Commit == "" {
		in.Commit = p.Head
	}
	commits, err := s.pullCommits(ctx, repo, p)
	if err != nil {
		return nil, Event{}, err
	}
	part := false
	for _, k := range commits {
		part = part || k.SHA == in.Commit
	}
	if !part {
		return nil, Event{}, unprocessable("The commit_id is not part of the pull request")
	}
	v := &Review{ID: s.newID(), By: s.state.Users[key(by)].Login, State: state, Body: in.Body, Commit: in.Commit, Time: s.now()}
	p.Reviews = append(p.Reviews, v)
	p.UpdatedAt = s.now()
	if state == Pending {
		return v, Event{}, nil
	}
	event, err := s.reviewEvent(ctx, repo, p, v, "submitted", by)
	return v, event, err
}

// createReview answers POST pulls/{pull_number}/reviews.
func (s *Server) createReview(ctx context.Context, c *call) (int, any, error) {
	p, err := c.pullOf("pull_number")
	if err != nil {
		return 0, nil, err
	}
	var in newReview
	if err := c.decode(&in); err != nil {
		return 0, nil, err
	}
	v, _, err := s.review(ctx, c.repo, p, c.login(), in)
	if err != nil {
		return 0, nil, err
	}
	return 200, s.showReview(c.repo, p, v), nil
}

// listReviews answers GET pulls/{pull_number}/reviews, oldest first. A pending review is its author's alone.
func (s *Server) listReviews(_ context.Context, c *call) (int, any, error) {
	p, err := c.pullOf("pull_number")
	if err != nil {
		return 0, nil, err
	}
	shown := []object{}
	for _, v := range p.Reviews {
		if v.State != Pending || key(v.By) == key(c.login()) {
			shown = append(shown, s.showReview(c.repo, p, v))
		}
	}
	return 200, paginate(s, c, shown), nil
}

// dismissReview answers PUT pulls/{pull_number}/reviews/{review_id}/dismissals.
func (s *Server) dismissReview(ctx context.Context, c *call) (int, any, error) {
	p, err := c.pullOf("pull_number")
	if err != nil {
		return 0, nil, err
	}
	id, err := c.number("review_id")
	if err != nil {
		return 0, nil, err
	}
	var in struct{ Message string }
	if err := c.decode(&in); err != nil {
		return 0, nil, err
	}
	for _, v := range p.Reviews {
		if v.ID != id {
			continue
		}
		if v.State != Approved && v.State != ChangesRequested {
			return 0, nil, unprocessable("Can not dismiss a " + strings.ToLower(v.State) + " pull request review")
		}
		if strings.TrimSpace(in.Message) == "" {
			return 0, nil, unprocessable("Message can't be blank")
		}
		v.State = Dismissed
		_, err := s.reviewEvent(ctx, c.repo, p, v, "dismissed", c.login())
		return 200, s.showReview(c.repo, p, v), err
	}
	return 0, nil, refuse(http.StatusNotFound, "Not Found")
}

func (s *Server) showReview(repo *repository, p *PullRequest, v *Review) object {
	api, html := s.pullURLs(repo, p)
	html += fmt.Sprintf("#pullrequestreview-%d", v.ID)
	o := object{
		"id": v.ID, "node_id": nodeID("PullRequestReview", v.ID), "user": s.showLogin(v.By), "body": v.Body, "state": v.State,
		"html_url": html, "pull_request_url": api, "_links": object{"html": link(html), "pull_request": link(api)},
		"commit_id": v.Commit, "author_association": repo.association(v.By),
	}
	if v.State != Pending {
		o["submitted_at"] = stamp(v.Time)
	}
	return o
}
