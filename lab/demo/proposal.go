package demo

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/org/promote/lab/show"
)

// tryOut opens a pull request that brings previews, looks at what it has while it is open, and closes it without a merge.
func tryOut(ctx context.Context, s *scene, p *part) error {
	if err := s.allowPreviews(ctx); err != nil {
		return err
	}
	if err := propose(ctx, s, p); err != nil || !p.results["preview"].Succeeded {
		return err
	}
	if err := s.sweepOpen(ctx, p); err != nil {
		return err
	}
	if err := s.preview.look(ctx, s, p); err != nil {
		return err
	}
	s.timeline.person(show.Other, "%s closes pull request #%d without merging it", author, p.number)
	closed, err := s.repo.ClosePullRequest(ctx, p.number, author)
	if err != nil {
		return err
	}
	if err := s.react(ctx, p, p.head, closed); err != nil {
		return err
	}
	return s.conclude(ctx, p)
}

// sweepOpen starts the workflow that a schedule starts on GitHub, while the pull request is open.
func (s *scene) sweepOpen(ctx context.Context, p *part) error {
	main, err := s.gitOutput(ctx, s.repo.Path(), "rev-parse", "refs/heads/main")
	if err != nil {
		return err
	}
	s.timeline.person(show.Other, "%s has previews swept, as happens every hour", author)
	started, err := s.repo.Dispatch(ctx, "sweep-previews.yml", "main", nil, author)
	if err != nil {
		return err
	}
	return s.react(ctx, p, main, started)
}

// bring puts into the clone what somebody does who wants previews and a reset before the tests: the change itself, the template
// as it is, and one line in another.
func (s *scene) bring(ctx context.Context) error {
	if err := s.patch("04")(ctx); err != nil {
		return err
	}
	if err := s.copyWorkflow("preview.yml"); err != nil {
		return err
	}
	return resetBefore(filepath.Join(s.clone, ".github", "workflows", "pull-request.yml"), "go run ./test/reset")
}

// resetBefore writes the one line of a workflow that runs a command before the tests.
func resetBefore(file, command string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	const tests = "test-command:"
	before, after, found := strings.Cut(string(data), tests)
	if !found || strings.Contains(after, tests) {
		return fmt.Errorf("editing %q: it must have one line with %q", file, tests)
	}
	indent := before[strings.LastIndex(before, "\n")+1:]
	return os.WriteFile(file, []byte(before+"reset-command: "+command+"\n"+indent+tests+after), 0o644)
}
