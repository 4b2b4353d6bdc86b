package release

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/org/promote/pkg/cluster"
	"github.com/org/promote/pkg/evidence"
	"github.com/org/promote/pkg/gha"
)

// memory is a log that keeps what commands print and what is said beside it.
type memory struct {
	bytes.Buffer
	said []string
}

func (m *memory) Infof(format string, args ...any) {
	m.said = append(m.said, fmt.Sprintf(format, args...))
}
func (m *memory) Warningf(format string, args ...any) {
	m.said = append(m.said, "warning: "+fmt.Sprintf(format, args...))
}
func (m *memory) Group(title string) (end func()) { return func() {} }
func (m *memory) Child() io.WriteCloser           { return m }
func (m *memory) Close() error                    { return nil }

// tested runs a test against a URL and gives its candidate and what was printed.
func tested(ctx context.Context, t *testing.T, test Test, timeout time.Duration) (*Candidate, *memory, error) {
	t.Helper()
	log := &memory{}
	if test.Dir == "" {
		test.Dir = t.TempDir()
	}
	test.Workspace = test.Dir
	c := &Candidate{
		Release: cluster.Release{ID: "abc-123", Digest: "sha256:1"},
		deps: Deps{Log: log, Environ: []string{
			"PATH=" + os.Getenv("PATH"), "HOME=/home/runner", "DATABASE=shop", "PROMOTE_RUNNER_ENVIRONMENT=test",
			"GITHUB_ENV=/e", "GITHUB_PATH=/p", "GITHUB_OUTPUT=/o", "INPUT_GITHUB_TOKEN=t", "AWS_SECRET_ACCESS_KEY=k", "KUBECONFIG=/k", "ACTIONS_RUNTIME_TOKEN=r",
		}},
		req: Request{Timeout: timeout, Environment: "test", Test: &test},
	}
	return c, log, c.testAt(ctx, "http://candidate")
}

func TestWhatTheCommandsGet(t *testing.T) {
	_, log, err := tested(t.Context(), t, Test{Command: `env | grep -v "^PWD=\|^SHLVL=\|^_=\|^PATH=\|^PROMOTE_REPORTS=" | sort`, Env: []string{"DATABASE", "SIZE=s"}}, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	want := "DATABASE=shop\nHOME=/home/runner\nPROMOTE_DIGEST=sha256:1\nPROMOTE_ENVIRONMENT=test\nPROMOTE_RELEASE=abc-123\nPROMOTE_URL=http://candidate\nSIZE=s\n"
	if diff := cmp.Diff(want, log.String()); diff != "" {
		t.Error(diff)
	}
	t.Run("one that fails is told what it did not get", func(t *testing.T) {
		_, log, _ := tested(t.Context(), t, Test{Command: "false"}, time.Minute)
		if said := strings.Join(log.said, "\n"); !strings.Contains(said, "did not get ACTIONS_RUNTIME_TOKEN, AWS_SECRET_ACCESS_KEY, DATABASE, KUBECONFIG;") || !strings.Contains(said, "`test-env`") {
			t.Errorf("said\n%s", said)
		}
	})
}

func TestReset(t *testing.T) {
	t.Run("it runs before the tests, with the same URL", func(t *testing.T) {
		_, log, err := tested(t.Context(), t, Test{Reset: `echo "reset $PROMOTE_URL"`, Command: `echo "test $PROMOTE_URL"`}, time.Minute)
		if err != nil || log.String() != "reset http://candidate\ntest http://candidate\n" {
			t.Errorf("got %q, %v", log.String(), err)
		}
	})
	for command, c := range map[string]struct {
		limit time.Duration
		want  ResetFailedError
	}{
		// A busy machine may take long to start a shell.
		"exit 3":    {time.Minute, ResetFailedError{ExitCode: 3}},
		"sleep 300": {300 * time.Millisecond, ResetFailedError{ExitCode: 124, Timeout: 300 * time.Millisecond}},
	} {
		t.Run(command+" fails by its own name, and says nothing about the candidate", func(t *testing.T) {
			want := c.want
			c, log, err := tested(t.Context(), t, Test{Reset: command, Command: "echo tested"}, c.limit)
			var failed *ResetFailedError
			if !errors.As(err, &failed) || *failed != want || !strings.Contains(err.Error(), "reset-command") || Judged(err) {
				t.Errorf("got %v, judged: %v", err, Judged(err))
			}
			if log.Len() > 0 || c.Tested != nil {
				t.Errorf("tests ran: %q, %+v", log.String(), c.Tested)
			}
		})
	}
}

const (
	green   = `<testsuite><testcase classname="Cart" name="adds" time="0.5"/><testcase classname="Cart" name="later"><skipped/></testcase></testsuite>`
	red     = `<testsuite><testcase classname="Cart" name="adds"/><testcase classname="Cart" name="tax"><failure message="a_test.go:3: want 7"/></testcase></testsuite>`
	unready = `{"Action":"run","Package":"p","Test":"TestSlow"}`
)

func TestExitCodeAndReport(t *testing.T) {
	for name, test := range map[string]struct {
		command string
		junit   []string
		want    string // of the error; "" is a pass
		code    int
		counts  *evidence.Tests
	}{
		"both say passed": {"echo '" + green + "' >r.xml", []string{"*.xml"}, "", 0, &evidence.Tests{Total: 2, Skipped: 1}},
		"a command without a report is judged by its exit code alone": {"true", nil, "", 0, nil},
		"a command that fails": {"exit 7", nil, `the command ended with exit code 7`, 7, nil},
		"a failing pipe":       {"(exit 7) | cat", nil, "exit code 7", 7, nil},
		"the report says failed, and the exit code passed": {
			"echo '" + red + "' >r.xml", []string{"*.xml"}, "testing the candidate: 1 of 2 tests failed: tax; the command ended with exit code 0 all the same", 0, &evidence.Tests{Total: 2, Failed: 1}},
		"the report says passed, and the exit code failed": {
			"echo '" + green + "' >r.xml; exit 4", []string{"*.xml"}, "ended with exit code 4, although its report says: 1 test passed, 1 skipped", 4, &evidence.Tests{Total: 2, Skipped: 1}},
		"both say failed": {
			"echo '" + red + "' >r.xml; exit 1", []string{"*.xml"}, "1 of 2 tests failed: tax; ", 1, &evidence.Tests{Total: 2, Failed: 1}},
		"a report that was asked for and is not there": {"true", []string{"out/*.xml", "*.xml"}, "no JUnit file matches out/*.xml, *.xml, although the command ended with exit code 0; change the input `test-junit`", 0, nil},
		"a report that was there before":               {"test -f old.xml", []string{"*.xml"}, "(1 files match, and are older than this run of it)", 0, nil},
		"a report that does not read":                  {"echo '<testsuite><testcase' >r.xml", []string{"*.xml"}, `r.xml": XML syntax error`, 0, nil},
		"a report without a test that ran":             {"echo '<testsuite/>' >r.xml", []string{"*.xml"}, "no test ran", 0, &evidence.Tests{}},
		"a report in the folder for reports":           {"echo '" + red + "' >$PROMOTE_REPORTS/r.xml", nil, "1 of 2 tests failed", 0, &evidence.Tests{Total: 2, Failed: 1}},
		"events of go test":                            {`echo '{"Action":"fail","Package":"p","Test":"TestA"}'`, nil, "1 of 1 test failed: TestA", 0, &evidence.Tests{Total: 1, Failed: 1}},
		"out of time":                                  {"echo '" + unready + "'; sleep 300", nil, "not done within 2s; still running: p TestSlow", 124, &evidence.Tests{}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if strings.Contains(test.command, "old.xml") {
				old := filepath.Join(dir, "old.xml")
				long := time.Now().Add(-time.Minute)
				if err := errors.Join(os.WriteFile(old, []byte(green), 0o600), os.Chtimes(old, long, long)); err != nil {
					t.Fatal(err)
				}
			}
			c, _, err := tested(t.Context(), t, Test{Command: test.command, JUnit: test.junit, Dir: dir}, 2*time.Second)
			var failed *TestFailedError
			switch {
			case test.want == "" && err != nil:
				t.Fatal(err)
			case test.want != "" && (!errors.As(err, &failed) || !strings.Contains(err.Error(), test.want) || failed.ExitCode != test.code || !Judged(err)):
				t.Fatalf("got %v, want %q with exit code %d", err, test.want, test.code)
			}
			if diff := cmp.Diff(test.counts, TestedBy(c, nil).counts()); diff != "" {
				t.Error(diff)
			}
			if test.want != "" && TestedBy(nil, fmt.Errorf("deploying: %w", err)).Problem == "" {
				t.Error("the error has not what was tested")
			}
		})
	}
}

func TestWhatTheTestsLeaveBehind(t *testing.T) {
	_, log, err := tested(t.Context(), t, Test{Command: "sleep 300 & echo done"}, time.Minute)
	if err != nil {
		t.Fatalf("tests that passed failed by what they left running: %v", err)
	}
	if said := strings.Join(log.said, "\n"); !strings.Contains(said, "warning: ") || !strings.Contains(said, "left processes running, which were ended: sleep (") {
		t.Errorf("nobody was told:\n%s", said)
	}
}

func TestACancelledRunSaysWhy(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("the lock was lost")
	time.AfterFunc(200*time.Millisecond, func() { cancel(why) })
	began := time.Now()
	_, _, err := tested(ctx, t, Test{Command: `trap "" TERM; sleep 300 & wait; wait`}, time.Minute)
	if !errors.Is(err, why) || Judged(err) || time.Since(began) > 5*time.Second {
		t.Errorf("after %s: %v", time.Since(began), err)
	}
}

func TestTestsCannotGiveTheRunnerCommands(t *testing.T) {
	var out bytes.Buffer
	action := gha.New(func(string) string { return "" }, &out)
	c := &Candidate{deps: Deps{Log: action, Environ: []string{"PATH=" + os.Getenv("PATH")}}, req: Request{
		Timeout: time.Minute, Test: &Test{Command: `printf '::set-env name=A::b\n::stop-commands::x\n::add-mask::e\n##[set-output name=x]y\n'; printf '::error::no newline' >&2`, Dir: t.TempDir()},
	}}
	if err := c.testAt(t.Context(), "http://candidate"); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out.String()) {
		ours := strings.HasPrefix(line, "::group::") || strings.HasPrefix(line, "::endgroup::")
		if !ours && (strings.HasPrefix(strings.TrimSpace(line), "::") || strings.Contains(line, "##[")) {
			t.Errorf("a command of the tests reaches the runner: %q", line)
		}
	}
}
