package gha

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/org/promote/pkg/change"
	"github.com/rogpeppe/go-internal/testscript"
)

func TestRun(t *testing.T) {
	two := errors.Join(errors.New("one"), fmt.Errorf("two: %w", errors.Join(errors.New("a"), errors.New("b"))))
	neutral := &change.Neutral{Reason: "a fork"}
	for name, test := range map[string]struct {
		err  error
		code int
		want string
	}{
		"success is silent":                        {nil, 0, ""},
		"a failure is an error":                    {errors.New("no\n::set-output::x"), 1, "::error::no%0A::set-output::x\n"},
		"joined problems are shown one by one":     {two, 1, "::error::one\n::error::two: a%0Ab\n"},
		"an exit code is kept":                     {&ExitError{Code: 7, Err: errors.New("seven")}, 7, "::error::seven\n"},
		"an exit code of 0 is still a failure":     {&ExitError{Err: errors.New("zero")}, 1, "::error::zero\n"},
		"nothing to do ends well":                  {neutral, 0, "::notice::Nothing to do: a fork\n"},
		"nothing to do may be wrapped":             {errors.Join(fmt.Errorf("x: %w", neutral), nil), 0, "::notice::Nothing to do: a fork\n"},
		"nothing to do does not hide other errors": {errors.Join(neutral, errors.New("bad")), 1, "::error::nothing to do: a fork\n::error::bad\n"},
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			code := Run(func(string) string { return "" }, &log, func(context.Context, *Action) error { return test.err })
			if diff := cmp.Diff(test.want, log.String()); diff != "" || code != test.code {
				t.Errorf("code %d, want %d\n%s", code, test.code, diff)
			}
		})
	}
	t.Run("a panic is an error with its stack in the log", func(t *testing.T) {
		var log bytes.Buffer
		code := Run(func(string) string { return "" }, &log, func(context.Context, *Action) error { panic("oh no") })
		if code != 1 || !strings.Contains(log.String(), "run_test.go:") || !strings.Contains(log.String(), "::error::internal error: oh no") {
			t.Errorf("code %d\n%s", code, &log)
		}
	})
	t.Run("a failure after ten errors is still shown as one", func(t *testing.T) {
		var log bytes.Buffer
		Run(func(string) string { return "" }, &log, func(_ context.Context, a *Action) error {
			for range 20 {
				a.Errorf("bad test")
			}
			return errors.New("20 tests failed")
		})
		if !strings.HasSuffix(log.String(), "\n::error::20 tests failed\n") {
			t.Error(log.String())
		}
	})
}

// TestMain makes this test a program that runs an action, for the scripts.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"until-signal": func() { os.Exit(Run(os.Getenv, os.Stdout, untilSignal)) },
	})
}

// untilSignal says when it is ready, waits for the first signal and then for the second, which is to end the process.
func untilSignal(ctx context.Context, a *Action) error {
	a.Infof("ready")
	self := os.Getpid()
	signal := map[string]syscall.Signal{"INT": syscall.SIGINT, "TERM": syscall.SIGTERM}[os.Getenv("SIGNAL")]
	_ = syscall.Kill(self, signal)
	<-ctx.Done()
	if os.Getenv("TWICE") != "" {
		_ = syscall.Kill(self, signal)
		select {}
	}
	return context.Cause(ctx)
}

func TestSignals(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata"})
}

func TestAnErrorOfATemplateStandsAtItsLine(t *testing.T) {
	for message, want := range map[string]string{
		"deploy/app.yaml:12: Deployment/web: x":           "::error file=deploy/app.yaml,line=12::deploy/app.yaml:12: Deployment/web: x",
		"deploy/_p.tpl:2:7: {{ x }}: y, included at a:1":  "::error file=deploy/_p.tpl,line=2::",
		"looking up secret \"a.yaml:1\": denied":          "::error::",
		"/tmp/a.yaml:1: not in the checkout":              "::error::",
		"app.yaml: the rendered text is larger than 16 M": "::error::",
		"app.yaml:99999999999999999999: x":                "::error::",
	} {
		var out strings.Builder
		code := Run(func(string) string { return "" }, &out, func(context.Context, *Action) error { return errors.New(message) })
		if code != 1 || !strings.HasPrefix(out.String(), want) {
			t.Errorf("%s: exit code %d, and the log is %s, want %s", message, code, out.String(), want)
		}
	}
}
