package demo

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/org/promote/lab/github"
	"github.com/org/promote/lab/runner"
	"github.com/org/promote/lab/show"
	"github.com/org/promote/pkg/evidence"
)

// part is one pull request's way, what is expected of it, and what came of it.
type part struct {
	title, branch, message string
	// change puts the change into the author's clone, which stands on a new branch from main.
	change func(context.Context) error
	// expect names each workflow that must run, and how it must end.
	expect map[string]bool
	play   func(context.Context, *scene, *part) error
	// beforeApproval and beforeMerge are what somebody does before the pull request is approved, and between that and the merge.
	beforeApproval, beforeMerge func(context.Context) error
	// meanwhile is what somebody does while production's canary is at work.
	meanwhile func(context.Context) error

	// broken says that the play ended in it.
	broken     bool
	number     int
	head       string
	merged     string // the commit that brought it to main
	began      time.Time
	ended      time.Time
	results    map[string]runner.Result
	before     map[string]string            // environment -> release that served when the part began
	beforePods map[string]map[string]string // environment -> UID of each of its pods -> image id
	after      map[string]string
	afterPods  map[string]map[string]string
}

// name is what the closing calls it.
func (p *part) name() string {
	if p.number == 0 {
		return "the rollback"
	}
	return fmt.Sprintf("#%d", p.number)
}

// astray says that a workflow has failed which had to succeed: nobody would approve or merge that.
func (p *part) astray() bool {
	for name, res := range p.results {
		if p.expect[name] && !res.Succeeded {
			return true
		}
	}
	return false
}

// story is what is played, in order.
func (s *scene) story() []part {
	good := map[string]bool{"unit-test": true, "pull-request": true, "approval": true, "production": true}
	bad := part{
		title: "(d) A change whose bug shows only under live traffic", branch: "order-journal",
		message: "Sum up the latest orders at /report", change: s.patch("02"),
		expect: map[string]bool{"unit-test": true, "pull-request": true, "approval": true, "production": false}, play: promote,
	}
	story := []part{
		{
			title: "Prologue: the first release of checkout; stage has it by hand already", branch: "first", message: "Add the checkout service",
			change: s.copyService, expect: good, play: promote,
		},
		{
			title: "(a) (b) (c) A good change, from pull request to production", branch: "free-shipping",
			message: "Ship large orders free of charge", change: s.patch("01"), expect: good, play: promote,
		},
		bad,
		{
			title: "After (d): the bad change is taken back, the same way it came; somebody has the canary promoted by hand", branch: "revert-order-journal",
			message: `Revert "` + bad.message + `"`, play: promote,
			expect: map[string]bool{"unit-test": true, "pull-request": true, "approval": true, "production": true, byHand: true},
		},
		{
			title: "(e) A change that fails its integration tests", branch: "discounts", message: "Read discounts from the configuration",
			change: s.patch("03"), expect: map[string]bool{"unit-test": true, "pull-request": false}, play: propose,
		},
	}
	// Late, because main then holds a change that production has refused.
	story = append(story, part{
		title: "(f) A change whose evidence of stage somebody deletes from the registry", branch: "readme", message: "Say what the service is for",
		change: s.readme, expect: map[string]bool{"unit-test": true, "pull-request": true, "approval": true, "production": false}, play: promote,
	})
	story = append(story, part{
		title:  "(g) Stage is taken back to what served there before the change to the README; production has nothing to recover",
		expect: map[string]bool{"rollback": true, "recover": true},
		play:   func(ctx context.Context, s *scene, p *part) error { return rollBack(ctx, s, p, &story[3]) },
	})
	story = append(story, part{
		title: "(h) A change with a preview, an autoscaler and a reset before its tests, closed without a merge", branch: "autoscaler",
		message: "Add an autoscaler and previews", change: s.bring,
		expect: map[string]bool{"unit-test": true, "pull-request": true, "preview": true, "sweep-previews": true}, play: tryOut,
	})
	story[3].meanwhile = func(ctx context.Context) error { return s.promoteByHand(ctx, &story[3]) }
	story[0].beforeApproval = func(ctx context.Context) error { return s.handmade.put(ctx, s, &story[0]) }
	last := 5
	story[last].beforeMerge = func(ctx context.Context) error { return s.deleteEvidence(ctx, story[last].head, evidence.Stage) }
	story[3].change = func(ctx context.Context) error { return s.git(ctx, s.clone, "revert", "--no-commit", story[2].merged) }
	return story
}

// promote takes a change the whole way: proposed, approved, merged.
func promote(ctx context.Context, s *scene, p *part) error {
	if err := propose(ctx, s, p); err != nil || p.astray() {
		return err
	}
	if p.beforeApproval != nil {
		if err := p.beforeApproval(ctx); err != nil {
			return err
		}
	}
	s.timeline.person(show.Approve, "%s approves pull request #%d", reviewer, p.number)
	approved, err := s.repo.Approve(ctx, p.number, reviewer)
	if err != nil {
		return err
	}
	if err := s.react(ctx, p, p.head, approved); err != nil || p.astray() {
		return err
	}
	if err := s.startLoad(ctx); err != nil {
		return err
	}
	if p.beforeMerge != nil {
		if err := p.beforeMerge(ctx); err != nil {
			return err
		}
	}
	s.timeline.person(show.Merge, "%s squash-merges pull request #%d", reviewer, p.number)
	merged, err := s.repo.Merge(ctx, p.number, github.Squash, reviewer)
	if err != nil {
		return err
	}
	p.merged = merged.SHA
	ended := s.whileAtWork(ctx, p)
	if err := errors.Join(s.react(ctx, p, merged.SHA, merged.Push, merged.Closed), ended()); err != nil {
		return err
	}
	return s.conclude(ctx, p)
}

// rollBack starts the workflow that takes stage back to the release of an earlier part, and the one that a schedule starts on GitHub.
func rollBack(ctx context.Context, s *scene, p, to *part) error {
	var err error
	p.results, p.began, p.head = map[string]runner.Result{}, time.Now(), to.head
	if p.before, p.beforePods, err = s.serving(ctx); err != nil {
		return err
	}
	reference, err := s.imageOf(ctx, to.head)
	if err != nil {
		return err
	}
	_, digest, _ := strings.Cut(reference, "@")
	main, err := s.gitOutput(ctx, s.repo.Path(), "rev-parse", "refs/heads/main")
	if err != nil {
		return err
	}
	s.timeline.person(show.Other, "%s takes stage back to the image %s of #%d", reviewer, digest[:19], to.number)
	started, err := s.repo.Dispatch(ctx, "rollback.yml", "main", map[string]string{"environment": "stage", "digest": digest}, reviewer)
	if err != nil {
		return err
	}
	if err := s.react(ctx, p, main, started); err != nil {
		return err
	}
	s.timeline.person(show.Other, "%s has production looked after, as happens every ten minutes", reviewer)
	if started, err = s.repo.Dispatch(ctx, "recover.yml", "main", nil, reviewer); err != nil {
		return err
	}
	if err := s.react(ctx, p, main, started); err != nil {
		return err
	}
	return s.conclude(ctx, p)
}

// propose pushes a change and opens its pull request.
func propose(ctx context.Context, s *scene, p *part) error {
	var err error
	p.results, p.began = map[string]runner.Result{}, time.Now()
	if p.before, p.beforePods, err = s.serving(ctx); err != nil {
		return err
	}
	if err := s.write(ctx, p.branch, p.message, p.change); err != nil {
		return err
	}
	if p.head, err = s.gitOutput(ctx, s.clone, "rev-parse", "HEAD"); err != nil {
		return err
	}
	s.timeline.person(show.Push, "%s pushes %s to branch %s: %q", author, p.head[:7], p.branch, p.message)
	pushed, err := s.repo.PushBranch(ctx, p.branch, author)
	if err != nil {
		return err
	}
	if err := s.react(ctx, p, p.head, pushed...); err != nil {
		return err
	}
	pull, opened, err := s.repo.OpenPullRequest(ctx, p.branch, "main", p.message, author)
	if err != nil {
		return err
	}
	p.number = pull.Number
	s.timeline.person(show.Open, "%s opens pull request #%d", author, p.number)
	if err := s.react(ctx, p, p.head, opened); err != nil {
		return err
	}
	return s.conclude(ctx, p)
}

// react runs what the events start and keeps how it ended. A workflow that ran before keeps its worst result.
func (s *scene) react(ctx context.Context, p *part, sha string, events ...github.Event) error {
	results, err := s.happened(ctx, sha, events...)
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, res := range results {
		if old, ok := p.results[name]; ok && !old.Succeeded {
			continue
		}
		p.results[name] = res
	}
	return err
}

// conclude notes what serves now, and lets clients in where something serves for the first time.
func (s *scene) conclude(ctx context.Context, p *part) error {
	var err error
	if p.after, p.afterPods, err = s.serving(ctx); err != nil {
		return err
	}
	p.ended = time.Now()
	return s.startLoad(ctx)
}
