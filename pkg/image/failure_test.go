package image

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFailureIn(t *testing.T) {
	lines := func(text string) []string { return strings.Split(strings.TrimSuffix(text, "\n"), "\n") }
	for _, builder := range []string{"buildx", "buildctl"} {
		t.Run("finds the failing step in what "+builder+" printed", func(t *testing.T) {
			got := failureIn(lines(readFile("testdata/failed-step." + builder + ".log")))
			if len(got.Lines) != 10 || !strings.HasSuffix(got.Lines[9], "main.go:29: undefined: x") {
				t.Errorf("the step's last lines are %q", got.Lines)
			}
			got.Lines = nil
			want := Failure{
				Step:  `[3/3] RUN ["/tool","fail"]`,
				Cause: `process "/tool fail" did not complete successfully: exit code: 2`,
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("failureIn (-want +got):\n%s", diff)
			}
		})
		t.Run("shows the line of the Dockerfile that "+builder+" does not understand", func(t *testing.T) {
			want := Failure{
				Lines: []string{"Dockerfile:2", "--------------------", "   1 |     FROM base:1", "   2 | >>> BOGUS x", "   3 |     ", "--------------------"},
				Cause: "dockerfile parse error on line 2: unknown instruction: BOGUS",
			}
			if diff := cmp.Diff(want, failureIn(lines(readFile("testdata/syntax-error."+builder+".log")))); diff != "" {
				t.Errorf("failureIn (-want +got):\n%s", diff)
			}
		})
	}
	t.Run("finds the failing step in what buildah printed", func(t *testing.T) {
		got := failureIn(lines(readFile("testdata/failed-step.buildah.log")))
		if len(got.Lines) != shownLines || got.Lines[0] != "main.go:12: undefined: x" {
			t.Errorf("the step's last lines are %q", got.Lines)
		}
		got.Lines = nil
		want := Failure{Step: `STEP 3/3: RUN ["/tool","fail"]`, Cause: `building at STEP "RUN /tool fail": exit status 2`}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("failureIn (-want +got):\n%s", diff)
		}
	})
	t.Run("names the instruction that buildah does not understand", func(t *testing.T) {
		got := failureIn(lines(readFile("testdata/syntax-error.buildah.log")))
		if got.Step != "STEP 3/3: BOGUS x" || !strings.Contains(got.Cause, `Unknown instruction: "BOGUS"`) {
			t.Errorf("failureIn() = %+v", got)
		}
	})
	t.Run("keeps the last lines of a step that printed much", func(t *testing.T) {
		text := "------\n > [1/1] RUN x:\n"
		for i := range 100 {
			text += fmt.Sprintf("line %d\n", i)
		}
		got := failureIn(lines(text + "------\nerror: failed to solve: exit code: 1\n"))
		if len(got.Lines) != shownLines || got.Lines[shownLines-1] != "line 99" || got.Step != "[1/1] RUN x" || got.Cause != "exit code: 1" {
			t.Errorf("failureIn() = %+v", got)
		}
	})
	t.Run("a frame whose beginning is gone still gives its last lines", func(t *testing.T) {
		got := failureIn([]string{"last words", rule, "Dockerfile:1", "ERROR: exit code: 1"})
		want := Failure{Lines: []string{"last words"}, Cause: "exit code: 1"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("failureIn (-want +got):\n%s", diff)
		}
	})
	t.Run("without a frame it is the last lines of all", func(t *testing.T) {
		got := failureIn([]string{"looking", "ERROR: no builder \"x\" found"})
		want := Failure{Lines: []string{"looking"}, Cause: `no builder "x" found`}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("failureIn (-want +got):\n%s", diff)
		}
	})
	t.Run("a silent builder gives nothing", func(t *testing.T) {
		if diff := cmp.Diff(Failure{}, failureIn(nil)); diff != "" {
			t.Errorf("failureIn (-want +got):\n%s", diff)
		}
	})
}

func TestTail(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(secret, []byte("first-line\nab\nfirst-line-and-more\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cut, err := readSecrets(map[string]string{"key": secret})
	if err != nil {
		t.Fatal(err)
	}
	t.Run("cuts out each line of a secret and its base64, however the output is split", func(t *testing.T) {
		var log strings.Builder
		out := newTail(&log, cut)
		for _, part := range []string{"a first-", "line b\r\nfirst-line-and-more ab\nZmlyc3QtbGluZQ==", ""} {
			if _, err := io.WriteString(out, part); err != nil {
				t.Fatal(err)
			}
		}
		out.flush()
		if diff := cmp.Diff("a *** b\n*** ab\n***\n", log.String()); diff != "" {
			t.Errorf("log (-want +got):\n%s", diff)
		}
	})
	t.Run("does not keep a long output or an endless line", func(t *testing.T) {
		out := newTail(io.Discard, cut)
		for range 10 * keptLines {
			fmt.Fprintln(out, "line")
		}
		io.WriteString(out, strings.Repeat("x", 3*longestLine))
		if len(out.lines) > 2*keptLines || len(out.pending) > longestLine {
			t.Errorf("kept %d lines and %d bytes", len(out.lines), len(out.pending))
		}
	})
}
