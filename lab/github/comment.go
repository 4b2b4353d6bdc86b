package github

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// maxComment is the most characters that a comment may have.
const maxComment = 65536

// Comment is one comment in the conversation of a pull request.
type Comment struct {
	ID        int64     `json:"id"`
	Number    int       `json:"number"` // the pull request's
	By        string    `json:"by"`
	Body      string    `json:"body"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// Comments returns a pull request's comments, oldest first.
func (r *Repository) Comments(number int) ([]Comment, error) {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	repo, err := r.record()
	if err != nil {
		return nil, err
	}
	var all []Comment
	for _, k := range repo.Comments {
		if k.Number == number {
			all = append(all, *k)
		}
	}
	return all, nil
}

// readComment reads a body that a comment may have.
func (c *call) readComment() (string, error) {
	var in struct{ Body *string }
	if err := c.decode(&in); err != nil {
		return "", err
	}
	switch {
	case strings.TrimSpace(text(in.Body)) == "":
		return "", invalid("IssueComment", "body", "missing_field", "")
	case utf8.RuneCountInString(*in.Body) > maxComment:
		return "", invalid("IssueComment", "body", "unprocessable", fmt.Sprintf("body is too long (maximum is %d characters)", maxComment))
	}
	return *in.Body, nil
}

// listComments answers GET issues/{issue_number}/comments, oldest first.
func (s *Server) listComments(_ context.Context, c *call) (int, any, error) {
	p, err := c.pullOf("issue_number")
	if err != nil {
		return 0, nil, err
	}
	shown := []object{}
	for _, k := range c.repo.Comments {
		if k.Number == p.Number {
			shown = append(shown, s.showComment(c.repo, k))
		}
	}
	return 200, paginate(s, c, shown), nil
}

// createComment answers POST issues/{issue_number}/comments.
func (s *Server) createComment(_ context.Context, c *call) (int, any, error) {
	p, err := c.pullOf("issue_number")
	if err != nil {
		return 0, nil, err
	}
	body, err := c.readComment()
	if err != nil {
		return 0, nil, err
	}
	k := &Comment{ID: s.newID(), Number: p.Number, By: c.login(), Body: body, CreatedAt: s.now(), UpdatedAt: s.now()}
	c.repo.Comments = append(c.repo.Comments, k)
	return http.StatusCreated, s.showComment(c.repo, k), nil
}

// commentOf is where the comment that the path names is in the list.
func (c *call) commentOf() (int, error) {
	id, err := c.number("comment_id")
	if err != nil {
		return 0, err
	}
	i := slices.IndexFunc(c.repo.Comments, func(k *Comment) bool { return k.ID == id })
	if i < 0 {
		return 0, notFound()
	}
	return i, nil
}

// getComment answers GET issues/comments/{comment_id}.
func (s *Server) getComment(_ context.Context, c *call) (int, any, error) {
	i, err := c.commentOf()
	if err != nil {
		return 0, nil, err
	}
	return 200, s.showComment(c.repo, c.repo.Comments[i]), nil
}

// updateComment answers PATCH issues/comments/{comment_id}.
func (s *Server) updateComment(_ context.Context, c *call) (int, any, error) {
	i, err := c.commentOf()
	if err != nil {
		return 0, nil, err
	}
	k := c.repo.Comments[i]
	body, err := c.readComment()
	if err != nil {
		return 0, nil, err
	}
	k.Body, k.UpdatedAt = body, s.now()
	return 200, s.showComment(c.repo, k), nil
}

// deleteComment answers DELETE issues/comments/{comment_id}.
func (s *Server) deleteComment(_ context.Context, c *call) (int, any, error) {
	i, err := c.commentOf()
	if err != nil {
		return 0, nil, err
	}
	c.repo.Comments = slices.Delete(c.repo.Comments, i, i+1)
	return http.StatusNoContent, nil, nil
}

func (s *Server) showComment(repo *repository, k *Comment) object {
	return object{
		"id": k.ID, "node_id": nodeID("IssueComment", k.ID), "url": fmt.Sprintf("%s/issues/comments/%d", s.apiURL(repo), k.ID),
		"html_url":  fmt.Sprintf("%s/pull/%d#issuecomment-%d", s.htmlURL(repo), k.Number, k.ID),
		"issue_url": fmt.Sprintf("%s/issues/%d", s.apiURL(repo), k.Number), "body": k.Body, "user": s.showLogin(k.By),
		"created_at": stamp(k.CreatedAt), "updated_at": stamp(k.UpdatedAt), "author_association": repo.association(k.By),
		"performed_via_github_app": nil,
	}
}
