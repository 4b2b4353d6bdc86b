package release

import (
	"fmt"
	"strings"
	"time"

	"github.com/org/promote/pkg/command"
	"github.com/org/promote/pkg/tests"
)

// missing says that no report is there although one was asked for. That is a failure: whoever asks for a report wants it to
// have a word, and a pattern with a slip in it would let failed tests pass for ever.
func (c *Candidate) missing(files tests.ReportFiles, err error) []string {
	patterns := c.req.Test.JUnit
	if len(patterns) == 0 || len(files.Found) > 0 || err != nil {
		return nil
	}
	problem := fmt.Sprintf("no JUnit file matches %s, although the command ended with exit code 0; change the input `test-junit` or the command", strings.Join(patterns, ", "))
	if files.Stale > 0 {
		problem += fmt.Sprintf(" (%d files match, and are older than this run of it)", files.Stale)
	}
	return []string{problem}
}

// judge weighs the exit code and the report against each other. Neither alone is trusted to say "passed". What went wrong comes
// first: a commit status has room for the beginning only.
func judge(timeout time.Duration, ended command.Ended, r tests.Results) []string {
	failed := r.Count(tests.Failed)
	switch {
	case ended.TimedOut && len(r.Running) > 0:
		return []string{fmt.Sprintf("not done within %s; still running: %s; raise the input `timeout` if they need more", timeout, r.RunningNames())}
	case ended.TimedOut:
		return []string{fmt.Sprintf("not done within %s; see the command's output above, or raise the input `timeout`", timeout)}
	case failed > 0 && ended.Code == 0:
		return []string{fmt.Sprintf("%s: %s; the command ended with exit code 0 all the same", r.Counts(), r.FailedNames())}
	case failed > 0:
		return []string{fmt.Sprintf("%s: %s; the command ended with exit code %d", r.Counts(), r.FailedNames(), ended.Code)}
	case ended.Code != 0 && r.Known:
		return []string{fmt.Sprintf("the command ended with exit code %d, although its report says: %s; its output is above", ended.Code, r.Counts())}
	case ended.Code != 0:
		return []string{fmt.Sprintf("the command ended with exit code %d; its output is above", ended.Code)}
	case r.Known && r.Ran() == 0:
		return []string{"no test ran, although the command ended with exit code 0; change the input `test-command` so that it runs the tests"}
	}
	return nil
}
