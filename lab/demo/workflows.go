package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/org/promote/lab/github"
	"github.com/org/promote/lab/runner"
	"github.com/org/promote/lab/show"
	"github.com/org/promote/lab/standins"
)

// happened does what GitHub does with an event: it starts every workflow that listens to it, each on the runner that its
// label asks for, with a token of just the permissions that its jobs name. It returns when all have ended.
func (s *scene) happened(ctx context.Context, sha string, events ...github.Event) (map[string]runner.Result, error) {
	results := map[string]runner.Result{}
	var (
		mu   sync.Mutex
		wait sync.WaitGroup
		errs []error
	)
	for _, event := range events {
		workflows, err := s.listening(ctx, sha, event)
		if err != nil {
			return nil, err
		}
		for _, w := range workflows {
			// The number is taken here, so that it does not depend on which run is first.
			s.mu.Lock()
			s.runs++
			id := s.runs
			s.mu.Unlock()
			wait.Go(func() {
				res, err := s.start(ctx, w, event, sha, id)
				mu.Lock()
				defer mu.Unlock()
				results[w.Name] = res
				errs = append(errs, err)
			})
		}
	}
	wait.Wait()
	return results, errors.Join(errs...)
}

// listening reads the workflow files of the commit, as GitHub does.
func (s *scene) listening(ctx context.Context, sha string, event github.Event) ([]runner.Workflow, error) {
	names, err := s.gitOutput(ctx, s.repo.Path(), "ls-tree", "--name-only", sha, ".github/workflows/")
	if err != nil {
		return nil, err
	}
	var found []runner.Workflow
	for _, name := range strings.Fields(names) {
		data, err := s.gitOutput(ctx, s.repo.Path(), "show", sha+":"+name)
		if err != nil {
			return nil, err
		}
		w, err := runner.Parse(filepath.Base(name), []byte(data))
		if err != nil {
			return nil, err
		}
		starts, err := w.Starts(event.Name, event.Payload)
		if err != nil {
			return nil, err
		}
		if starts {
			found = append(found, w)
		}
	}
	return found, nil
}

// start runs one workflow on its runner.
func (s *scene) start(ctx context.Context, w runner.Workflow, event github.Event, sha string, id int) (runner.Result, error) {
	labels := w.Labels(inputs(event.Payload))
	if len(labels) != 1 {
		return runner.Result{}, fmt.Errorf("workflow %s asks for runners %v; the demo gives each workflow one", w.File, labels)
	}
	r, ok := s.runners[labels[0]]
	if !ok {
		return runner.Result{}, fmt.Errorf("workflow %s asks for a runner %q, which nobody has", w.File, labels[0])
	}
	token, err := s.repo.NewToken(github.Bot, w.Permissions())
	if err != nil {
		return runner.Result{}, err
	}
	s.timeline.run("▶ %s starts on the runner %s", w.Name, r.Label)
	began, folder := time.Now(), filepath.Join("runs", fmt.Sprintf("%02d-%s", id, w.Name))
	res, err := runner.Run(ctx, r, runner.Job{
		Workflow: w.File, Event: event.Name, Payload: event.Payload, Repository: s.service.repository, Clone: s.repo.Path(), SHA: sha, Actor: sender(event.Payload),
		Vars: s.variables(), Token: token, RunID: id, Dir: filepath.Join(s.dir, folder),
		Cache:   filepath.Join(s.dir, "act"),
		Actions: s.actions(w),
	}, s.echo(w.Name, id))
	s.ran(show.Run{ID: id, Name: w.Name, Lane: lane(r), Began: began, Ended: time.Now(), Succeeded: res.Succeeded, Log: filepath.Join(folder, "log.txt")})
	if err != nil {
		return res, err
	}
	s.timeline.run("%s %s ended after %.1f s  (log: %s)", mark(res.Succeeded), w.Name, time.Since(began).Seconds(), res.LogFile)
	return res, s.uploaded(w, id, filepath.Join(s.dir, folder))
}

// actions are where act finds what the workflow uses: the suite, and the stand-ins for others' actions.
func (s *scene) actions(w runner.Workflow) map[string]string {
	found := standins.For(w.Uses(), s.suite)
	found["org/promote@v1"] = s.suite
	return found
}

// inputs are what a person gave to a workflow that they started by hand.
func inputs(payload []byte) map[string]string {
	var p struct {
		Inputs map[string]string `json:"inputs"`
	}
	if err := json.Unmarshal(payload, &p); err != nil {
		return nil
	}
	return p.Inputs
}

// sender is who caused an event.
func sender(payload []byte) string {
	var p struct {
		Sender struct {
			Login string `json:"login"`
		} `json:"sender"`
	}
	if err := json.Unmarshal(payload, &p); err != nil {
		return ""
	}
	return p.Sender.Login
}

// echo shows the lines of a run that tell the story; all others are in its log.
func (s *scene) echo(workflow string, id int) func(runner.Line) {
	return func(l runner.Line) {
		text := strings.TrimSpace(l.Text)
		if err := s.keepReport(id, text); err != nil {
			s.mu.Lock()
			s.lost = errors.Join(s.lost, err)
			s.mu.Unlock()
		}
		switch {
		case strings.HasPrefix(text, "::error"), strings.HasPrefix(text, "❗"):
			s.timeline.detail("%s: %s", workflow, firstLine(strings.TrimSpace(strings.TrimPrefix(text, "❗"))))
		case telling(text):
			s.timeline.detail("%s", firstLine(text))
		}
	}
}

// telling picks the actions' own lines about phases and observations.
func telling(text string) bool {
	for _, prefix := range []string{"step ", "Service/", "adopted ", "Namespace/", "reset: ", "baking ", "release ", "removing release", "waiting for run", "tests:", "digest "} {
		if strings.HasPrefix(text, prefix) {
			return true
		}
	}
	return false
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	if r := []rune(line); len(r) > 150 {
		return string(r[:149]) + "…"
	}
	return line
}
