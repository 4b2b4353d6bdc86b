package github

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// States of a pull request.
const (
	stateOpen   = "open"
	stateClosed = "closed"
)

// PullRequest is one pull request.
type PullRequest struct {
	ID     int64  `json:"id"`
	Number int    `json:"number"`
	Title  string `json:"title"`
	Body   string `json:"body"`
	Author string `json:"author"` // login
	State  string `json:"state"`  // open or closed
	Draft  bool   `json:"draft"`
	// HeadRepo is the full name of the repository the head branch is in: a fork's, or this one's.
	HeadRepo string `json:"head_repo"`
	HeadRef  string `json:"head_ref"`
	Head     string `json:"head"` // SHA; follows the branch while open
	BaseRef  string `json:"base_ref"`
	Base     string `json:"base"` // SHA of the base branch when the head last moved
	// SeenBase is the base branch's tip when it was last looked at, to see what came to it.
	SeenBase string `json:"seen_base"`
	// Merged, MergeSHA, MergedBy: whether, as which commit on the base branch, by whom.
	Merged   bool   `json:"merged"`
	MergeSHA string `json:"merge_sha"`
	MergedBy string `json:"merged_by"`
	// MergedOnto is the base branch's tip before the merge.
	MergedOnto string     `json:"merged_onto"`
	CreatedAt  time.Time  `json:"created_at"`
	UpdatedAt  time.Time  `json:"updated_at"`
	ClosedAt   *time.Time `json:"closed_at"`
	MergedAt   *time.Time `json:"merged_at"`
	Reviews    []*Review  `json:"reviews"`
	// Trial is the test merge behind refs/pull/N/merge.
	Trial trial `json:"trial"`
}

// trial remembers the test merge and what it was made of; Merge is "" when the two conflict.
type trial struct{ Base, Head, Merge string }

// newPull is what is asked for.
type newPull struct {
	Title string  `json:"title"`
	Head  string  `json:"head"` // branch, or owner:branch of a fork
	Base  string  `json:"base"`
	Body  *string `json:"body"`
	Draft bool    `json:"draft"`
}

// OpenPullRequest opens one for the branch head (owner:branch from a fork) into base and returns GitHub's
// pull_request payload with action opened.
func (r *Repository) OpenPullRequest(ctx context.Context, head, base, title, author string) (PullRequest, Event, error) {
	var pull PullRequest
	event, err := r.act(ctx, author, func(repo *repository) (Event, error) {
		p, event, err := r.s.openPull(ctx, repo, author, newPull{Title: title, Head: head, Base: base})
		if err == nil {
			pull = *p
		}
		return event, err
	})
	return pull, event, err
}

// act runs one change under the lock, for a person who exists, and saves.
func (r *Repository) act(ctx context.Context, login string, do func(*repository) (Event, error)) (Event, error) {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	repo, err := r.record()
	if err != nil {
		return Event{}, err
	}
	if r.s.state.Users[key(login)] == nil {
		return Event{}, fmt.Errorf("acting as %q on %q: no such user, add it with AddUser", login, r.name)
	}
	if err := r.s.refresh(ctx, repo, login); err != nil {
		return Event{}, err
	}
	event, err := do(repo)
	if err != nil {
		return Event{}, err
	}
	return event, r.s.save()
}

// PullRequest reads one, with the head it has now.
func (r *Repository) PullRequest(ctx context.Context, number int) (PullRequest, error) {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	repo, err := r.record()
	if err != nil {
		return PullRequest{}, err
	}
	if err := r.s.refresh(ctx, repo, ""); err != nil {
		return PullRequest{}, err
	}
	p := repo.pull(number)
	if p == nil {
		return PullRequest{}, fmt.Errorf("reading pull request %d of %q: no such number", number, r.name)
	}
	return *p, nil
}

func (repo *repository) pull(number int) *PullRequest {
	for _, p := range repo.Pulls {
		if p.Number == number {
			return p
		}
	}
	return nil
}

func (s *Server) openPull(ctx context.Context, repo *repository, author string, in newPull) (*PullRequest, Event, error) {
	p, err := s.checkPull(ctx, repo, in)
	if err != nil {
		return nil, Event{}, err
	}
	repo.NextNumber++
	p.ID, p.Number, p.Author = s.newID(), repo.NextNumber, s.state.Users[key(author)].Login
	p.CreatedAt, p.UpdatedAt = s.now(), s.now()
	if err := s.pinHead(ctx, repo, p); err != nil {
		return nil, Event{}, err
	}
	repo.Pulls = append(repo.Pulls, p)
	event, err := s.pullEvent(ctx, repo, p, "opened", author, nil)
	return p, event, err
}

// checkPull refuses what GitHub refuses and returns the pull request as far as it is known.
func (s *Server) checkPull(ctx context.Context, repo *repository, in newPull) (*PullRequest, error) {
	p := &PullRequest{Title: strings.TrimSpace(in.Title), State: stateOpen, Draft: in.Draft, HeadRef: in.Head, HeadRepo: repo.fullName(), BaseRef: in.Base}
	if in.Body != nil {
		p.Body = *in.Body
	}
	if p.Title == "" {
		return nil, invalid("PullRequest", "title", "missing_field", "")
	}
	if owner, branch, forked := strings.Cut(in.Head, ":"); forked {
		p.HeadRef, p.HeadRepo = branch, owner+"/"+repo.Name
	}
	from := s.state.Repos[key(p.HeadRepo)]
	if from == nil || from != repo && key(from.Parent) != key(repo.fullName()) {
		return nil, invalid("PullRequest", "head", "invalid", "")
	}
	var err error
	if p.Head, err = s.git(from).refSHA(ctx, "refs/heads/"+p.HeadRef); err != nil || p.Head == "" {
		return nil, orRefuse(err, invalid("PullRequest", "head", "invalid", ""))
	}
	if p.Base, err = s.git(repo).refSHA(ctx, "refs/heads/"+p.BaseRef); err != nil || p.Base == "" {
		return nil, orRefuse(err, invalid("PullRequest", "base", "invalid", ""))
	}
	for _, other := range repo.Pulls {
		if other.State == stateOpen && other.BaseRef == p.BaseRef && other.HeadRef == p.HeadRef && key(other.HeadRepo) == key(p.HeadRepo) {
			return nil, invalid("PullRequest", "", "custom", fmt.Sprintf("A pull request already exists for %s:%s.", from.Owner, p.HeadRef))
		}
	}
	p.SeenBase = p.Base
	if err := s.fetchHead(ctx, repo, p); err != nil {
		return nil, err
	}
	if merged, err := s.git(repo).isAncestor(ctx, p.Head, p.Base); err != nil || merged {
		return nil, orRefuse(err, invalid("PullRequest", "", "custom", fmt.Sprintf("No commits between %s and %s", p.BaseRef, in.Head)))
	}
	return p, nil
}

// createPull answers POST pulls.
func (s *Server) createPull(ctx context.Context, c *call) (int, any, error) {
	var in newPull
	if err := c.decode(&in); err != nil {
		return 0, nil, err
	}
	p, _, err := s.openPull(ctx, c.repo, c.login(), in)
	if err != nil {
		return 0, nil, err
	}
	shown, err := s.showPull(ctx, c.repo, p)
	return http.StatusCreated, shown, err
}

// pullOf is the pull request that the path names.
func (c *call) pullOf(name string) (*PullRequest, error) {
	n, err := c.number(name)
	if err != nil {
		return nil, err
	}
	if p := c.repo.pull(int(n)); p != nil {
		return p, nil
	}
	return nil, notFound()
}

// getPull answers GET pulls/{pull_number}.
func (s *Server) getPull(ctx context.Context, c *call) (int, any, error) {
	p, err := c.pullOf("pull_number")
	if err != nil {
		return 0, nil, err
	}
	shown, err := s.showPull(ctx, c.repo, p)
	return 200, shown, err
}

// updatePull answers PATCH pulls/{pull_number}: title, body, base branch, and open or closed.
func (s *Server) updatePull(ctx context.Context, c *call) (int, any, error) {
	p, err := c.pullOf("pull_number")
	if err != nil {
		return 0, nil, err
	}
	var in struct{ Title, Body, State, Base *string }
	if err := c.decode(&in); err != nil {
		return 0, nil, err
	}
	if in.State != nil && *in.State != stateOpen && *in.State != stateClosed {
		return 0, nil, invalid("PullRequest", "state", "invalid", "")
	}
	if in.State != nil && *in.State == stateOpen && p.State == stateClosed && p.Merged {
		return 0, nil, invalid("PullRequest", "state", "custom", "state cannot be changed. The pull request is merged.")
	}
	if in.Base != nil && *in.Base != p.BaseRef {
		if err := s.changeBase(ctx, c.repo, p, *in.Base, c.login()); err != nil {
			return 0, nil, err
		}
	}
	if in.Title != nil {
		p.Title = *in.Title
	}
	if in.Body != nil {
		p.Body = *in.Body
	}
	p.UpdatedAt = s.now()
	if in.State != nil && *in.State != p.State {
		if _, err := s.setPullState(ctx, c.repo, p, *in.State, c.login()); err != nil {
			return 0, nil, err
		}
	}
	shown, err := s.showPull(ctx, c.repo, p)
	return 200, shown, err
}

func (s *Server) setPullState(ctx context.Context, repo *repository, p *PullRequest, to, by string) (Event, error) {
	p.State, p.UpdatedAt, p.ClosedAt = to, s.now(), nil
	if to == stateOpen {
		return s.pullEvent(ctx, repo, p, "reopened", by, nil)
	}
	now := s.now()
	p.ClosedAt = &now
	return s.pullEvent(ctx, repo, p, "closed", by, nil)
}

// ClosePullRequest closes one without merging it.
func (r *Repository) ClosePullRequest(ctx context.Context, number int, by string) (Event, error) {
	return r.act(ctx, by, func(repo *repository) (Event, error) {
		p := repo.pull(number)
		if p == nil || p.State != stateOpen {
			return Event{}, fmt.Errorf("closing pull request %d of %q: it is not open", number, r.name)
		}
		return r.s.setPullState(ctx, repo, p, stateClosed, by)
	})
}
