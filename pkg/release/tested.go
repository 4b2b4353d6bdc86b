package release

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/org/promote/pkg/command"
	"github.com/org/promote/pkg/evidence"
	"github.com/org/promote/pkg/report"
	"github.com/org/promote/pkg/tests"
)

// Tested is what became of a release's own tests.
type Tested struct {
	Command string
	// Results are what the command reported; they are not known when it wrote no report.
	Results tests.Results
	Took    time.Duration
	// Problem is why they did not pass, "" when they did.
	Problem string
}

// TestedBy finds what the tests of a run came to: in its error, when they failed, else with its candidate. It is nil when none
// ran.
func TestedBy(c *Candidate, err error) *Tested {
	var failed *TestFailedError
	switch {
	case errors.As(err, &failed):
		return &failed.Tested
	case c != nil:
		return c.Tested
	}
	return nil
}

// counts are for a statement; nil when nothing reported single tests.
func (t *Tested) counts() *evidence.Tests {
	if t == nil || !t.Results.Known {
		return nil
	}
	r := t.Results
	return &evidence.Tests{Total: len(r.Tests), Failed: r.Count(tests.Failed), Skipped: r.Count(tests.Skipped)}
}

// runTests runs the tests and judges them. What it gives is as complete as can be even with an error.
func (c *Candidate) runTests(ctx context.Context, what command.Command, reports string) (Tested, error) {
	end := c.deps.Log.Group("Tests against the candidate: " + firstOf(what.Line))
	log := c.deps.Log.Child()
	out := tests.NewOutput(log)
	began := time.Now()
	ended, err := command.Run(ctx, what, out.Stdout(), out.Stderr())
	out.End()
	_ = log.Close()
	end()
	c.tellLeft(what.Line, ended)
	tested := Tested{Command: what.Line, Took: ended.Took}
	files, fileErr := c.reportFiles(reports, began)
	var readErr error
	at := tests.NewPlaces(c.req.Test.Workspace, what.Dir)
	tested.Results, readErr = out.Results(at, files.Found, ended.Code)
	if err != nil {
		return tested, err
	}
	problems := judge(what.Timeout, ended, tested.Results)
	if len(problems) == 0 {
		problems = c.missing(files, fileErr)
	}
	for _, unread := range []error{fileErr, readErr} {
		if unread != nil {
			problems = append(problems, unread.Error())
		}
	}
	if len(problems) == 0 {
		c.deps.Log.Infof("the tests passed in %s: %s", ended.Took.Round(time.Millisecond), tested.Results.Counts())
		return tested, nil
	}
	tested.Problem = strings.Join(problems, "; ")
	failed := &TestFailedError{Tested: tested, ExitCode: ended.Code}
	if ended.TimedOut {
		failed.Timeout = what.Timeout
	}
	return tested, failed
}

// reportFiles gives the JUnit files that the tests wrote since they began: those that match the patterns, and those in the
// folder reports.
func (c *Candidate) reportFiles(reports string, began time.Time) (tests.ReportFiles, error) {
	own, err := tests.FindReports("JUnit", reports, []string{"**/*.xml"}, began)
	asked, errAsked := tests.FindReports("JUnit", c.req.Test.Dir, c.req.Test.JUnit, began)
	if asked.Stale > 0 {
		c.deps.Log.Warningf("left out %d JUnit files that are older than this run of the tests", asked.Stale)
	}
	asked.Found = append(asked.Found, own.Found...)
	return asked, errors.Join(err, errAsked)
}

// Counts says in words what was tested, for instance "12 tests passed, 1 skipped"; "" when no tests ran.
func (t *Tested) Counts() string {
	if t == nil {
		return ""
	}
	if !t.Results.Known && t.Problem != "" {
		return "failed, " + t.Results.Counts()
	}
	return t.Results.Counts()
}

// Numbers are how many tests were reported, failed and were skipped; each is "" when nothing reported single tests.
func (t *Tested) Numbers() (all, failed, skipped string) {
	counts := t.counts()
	if counts == nil {
		return "", "", ""
	}
	return strconv.Itoa(counts.Total), strconv.Itoa(counts.Failed), strconv.Itoa(counts.Skipped)
}

// Annotate shows the worst failures at their lines.
func (t *Tested) Annotate(to tests.Annotator) {
	if t != nil {
		t.Results.Annotate(to)
	}
}

// Markdown is the summary's part about the tests: the failed ones first, then the slowest; "" when no tests ran.
func (t *Tested) Markdown() string {
	if t == nil {
		return ""
	}
	return fmt.Sprintf("#### Tests against the candidate\n\n%s in %s, with %s\n\n%s",
		report.Escape(t.Counts()), t.Took.Round(time.Millisecond), report.Inline(firstOf(t.Command)), t.Results.Markdown())
}

// firstOf is the first line of a command, for a sentence.
func firstOf(command string) string {
	line, rest, _ := strings.Cut(strings.TrimSpace(command), "\n")
	if strings.TrimSpace(rest) != "" {
		line += " …"
	}
	return line
}
