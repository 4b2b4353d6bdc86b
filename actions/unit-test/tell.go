package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/org/promote/pkg/change"
	"github.com/org/promote/pkg/gha"
	"github.com/org/promote/pkg/github"
	"github.com/org/promote/pkg/tests"
)

// statusContext is the name of the commit status that branch protection can require.
const statusContext = "promote/unit-test"

// tell says on GitHub and in the run what happens. Telling never decides: what GitHub won't take is a warning that names the
// permission to add, and the tests' result stands.
type tell struct {
	action *gha.Action
	github *github.Client
	in     inputs
	source source
}

// start marks the head commit as being tested.
func (t tell) start(ctx context.Context) {
	text := "running the tests"
	if t.in.kind != "" { // a command of the author's may hold what is no one's business
		text = "running " + firstLine(t.in.command)
	}
	t.status(ctx, github.Pending, text, t.url(t.mark()))
}

// end writes annotations, outputs, summary and status. Its error is about the outputs and the summary, which later steps
// rely on.
func (t tell) end(ctx context.Context, v verdict) error {
	v.results.Annotate(t.action)
	if v.coverage >= 0 {
		t.action.Infof("Coverage: %s %%", tests.Percent(v.coverage))
	}
	state, text, m := github.Success, v.counts()+", tree "+change.Short(t.source.Tree), t.mark()
	if len(v.problems) > 0 {
		state, text = github.Failure, cmp.Or(v.public, strings.Join(v.problems, "; "))
	}
	if m.Coverage = v.coverage; v.results.Known {
		m.Tests, m.Skipped, m.Flaky = len(v.results.Tests), v.results.Count(tests.Skipped), len(v.results.Flaky())
	}
	t.status(ctx, state, text, t.url(m))
	return errors.Join(t.outputs(v.result(), m, v.results), t.action.Summary(summary(t.in, t.source, v)))
}

// reused tells of an earlier run in place of one. The new status leads to the run that tested, and carries its mark, so that
// it proves as much as the first one.
func (t tell) reused(ctx context.Context, p proof) error {
	t.action.Infof("Tree %s passed the same command already, as commit %s: %s. It is not tested again; the input `reuse: false` would.",
		change.Short(t.source.Tree), change.Short(p.commit), p.run)
	text := fmt.Sprintf("reused: %s, tree %s passed as commit %s", p.mark.Counts(), change.Short(t.source.Tree), change.Short(p.commit))
	// On the very commit the status stands already, unless a run that was killed left "pending" above it.
	if p.commit != t.source.Head || !p.newest {
		t.status(ctx, github.Success, text, p.run+"#"+p.mark.String())
	}
	return errors.Join(t.outputs("reused", p.mark, tests.Results{}), t.action.Summary(reusedSummary(t.in, t.source, p)))
}

// outputs sets all outputs. What is unknown is empty.
func (t tell) outputs(result string, m tests.Mark, r tests.Results) error {
	failures := number(m.Tests)
	if m.Tests >= 0 {
		failures = "0"
	}
	all, skips := number(m.Tests), number(m.Skipped)
	if r.Known {
		all, failures, skips = strconv.Itoa(len(r.Tests)), strconv.Itoa(r.Count(tests.Failed)), strconv.Itoa(r.Count(tests.Skipped))
	}
	return errors.Join(
		t.action.SetOutput("result", result),
		t.action.SetOutput("tests", all),
		t.action.SetOutput("failed", failures),
		t.action.SetOutput("skipped", skips),
		t.action.SetOutput("coverage", tests.Percent(m.Coverage)),
		t.action.SetOutput("tree", t.source.Tree),
	)
}

// number writes a count, "" for an unknown one.
func number(n int) string {
	if n < 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// mark is that of this run before it has counts.
func (t tell) mark() tests.Mark {
	return tests.Mark{Tree: t.source.Tree, Suite: t.in.suite().fingerprint(), Tests: -1, Skipped: -1, Flaky: -1, Coverage: -1}
}

// url is the page of this run, with the mark if the run is about exactly the tree of the commit.
func (t tell) url(m tests.Mark) string {
	page := t.action.Env().RunURL
	if page == "" || !t.source.exact {
		return page
	}
	return page + "#" + m.String()
}

func (t tell) status(ctx context.Context, state github.State, text, url string) {
	err := t.github.SetStatus(ctx, t.source.Head, github.Status{Context: statusContext, State: state, Description: text, URL: url})
	if err != nil {
		t.action.Warningf("telling GitHub: %v", err)
	}
}
