package gha

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/org/promote/pkg/hostile"
)

// obeyed gives the commands that the runner would find in a log, written anew from what its source does
// (https://github.com/actions/runner, ActionCommand): it compares by culture, which skips every character that has no weight.
func obeyed(log string) (commands []string) {
	log = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(log)
	for line := range strings.SplitSeq(log, "\n") {
		weighty := strings.Map(func(r rune) rune {
			if r != '\t' && unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r) || unicode.Is(unicode.Variation_Selector, r) {
				return -1
			}
			return r
		}, line)
		if strings.HasPrefix(strings.TrimLeftFunc(weighty, unicode.IsSpace), "::") || strings.Contains(weighty, "##[") {
			commands = append(commands, line)
		}
	}
	return commands
}

func TestNoHostileTextIsObeyed(t *testing.T) {
	for name, text := range hostile.Texts {
		t.Run(name, func(t *testing.T) {
			a, log := surroundings(t, nil)
			a.Infof("%s", text)
			a.Infof("pull request %s of %s", text, text)
			a.Infof("%s", "\n"+text)
			child := a.Child()
			_, _ = io.WriteString(child, text)
			_ = child.Close()
			if got := obeyed(log.String()); len(got) > 0 {
				t.Errorf("the log has commands: %.300q", got)
			}
			log.Reset()
			for range annotationCap + 1 { // The last one goes to the log as text.
				a.Annotate(Annotation{Level: Error, File: text, Line: 1, Title: text, Message: text})
			}
			a.Debugf("%s", text)
			end := a.Group(text)
			end()
			a.finish(t.Context(), errors.Join(errors.New(text), fmt.Errorf("a.yaml:1: %s", text)))
			for _, command := range obeyed(log.String()) {
				word := strings.FieldsFunc(command, func(r rune) bool { return r == ':' || r == ' ' })
				if len(word) == 0 || !slices.Contains([]string{"error", "debug", "group", "endgroup"}, word[0]) {
					t.Errorf("the log has the command %.300q", command)
				}
			}
		})
	}
}

func TestNoHostileTextWritesAnotherOutput(t *testing.T) {
	for name, text := range hostile.Texts {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "output")
			a, _ := surroundings(t, map[string]string{"GITHUB_OUTPUT": file})
			if err := a.SetOutput("title", text); err != nil {
				t.Fatal(err)
			}
			if got := readOutputs(t, file); len(got) != 1 || got["title"] != text {
				t.Errorf("got %.300q", got)
			}
		})
	}
}

func TestWhatIsRunCannotWriteTheRunnersFiles(t *testing.T) {
	dir := t.TempDir()
	variables := map[string]string{"GITHUB_STATE": filepath.Join(dir, "missing")}
	for _, name := range []string{"GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH", "GITHUB_STEP_SUMMARY"} {
		variables[name] = filepath.Join(dir, name)
		if err := os.WriteFile(variables[name], []byte("before\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	victim := filepath.Join(t.TempDir(), "victim")
	a, log := surroundings(t, variables)
	if err := a.SetOutput("result", "failed"); err != nil {
		t.Fatal(err)
	}
	child := a.Child()
	// What the code under test can do, as the same user.
	err := errors.Join(
		os.WriteFile(variables["GITHUB_ENV"], []byte("PATH=/evil\n"), 0o644),
		os.WriteFile(variables["GITHUB_STATE"], []byte("evil=1\n"), 0o644),
		os.Remove(variables["GITHUB_PATH"]),
		os.WriteFile(victim, []byte("untouched"), 0o644),
		os.Symlink(victim, variables["GITHUB_PATH"]),
		appendTo(variables["GITHUB_OUTPUT"], "result=passed\n"),
	)
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Close(); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"GITHUB_ENV": "before\n", "GITHUB_PATH": "before\n", "GITHUB_STATE": "", "GITHUB_STEP_SUMMARY": "before\n"} {
		if got, _ := os.ReadFile(variables[name]); string(got) != want {
			t.Errorf("%s holds %q, want %q", name, got, want)
		}
	}
	if got, _ := os.ReadFile(variables["GITHUB_OUTPUT"]); !strings.HasPrefix(string(got), "before\nresult<<") || strings.Contains(string(got), "passed") {
		t.Errorf("GITHUB_OUTPUT holds %q", got)
	}
	if got, _ := os.ReadFile(victim); string(got) != "untouched" {
		t.Errorf("a file that a link led to holds %q", got)
	}
	for _, name := range []string{"GITHUB_ENV", "GITHUB_PATH", "GITHUB_STATE", "GITHUB_OUTPUT"} {
		if !strings.Contains(log.String(), "file of "+name) {
			t.Errorf("nothing tells of %s:\n%s", name, log)
		}
	}
	if strings.Contains(log.String(), "SUMMARY") {
		t.Errorf("what nobody touched is told of:\n%s", log)
	}
	t.Run("what the action writes itself stays", func(t *testing.T) {
		log.Reset()
		child := a.Child()
		if err := errors.Join(a.SetOutput("tests", "3"), a.Summary("ours"), child.Close()); err != nil {
			t.Fatal(err)
		}
		output, _ := os.ReadFile(variables["GITHUB_OUTPUT"])
		summary, _ := os.ReadFile(variables["GITHUB_STEP_SUMMARY"])
		if !strings.Contains(string(output), "tests<<") || string(summary) != "before\nours\n" || log.Len() > 0 {
			t.Errorf("output %q, summary %q, log %q", output, summary, log)
		}
	})
}

func appendTo(path, text string) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	_, err = file.WriteString(text)
	return errors.Join(err, file.Close())
}

func TestAHundredMebibytesOfOutputKeepLittleMemory(t *testing.T) {
	const mebibyte = 1 << 20
	for name, test := range map[string]struct {
		line string
		size int // 100 MiB of each would take the fast loop a minute
	}{
		"in lines":                {strings.Repeat("x", 99) + "\n", 100 * mebibyte},
		"in one line":             {strings.Repeat("x", 100), 100 * mebibyte},
		"in lines of base64":      {strings.Repeat("QUJD", 19) + "\n", 10 * mebibyte},
		"in one line of commands": {strings.Repeat("::set-output name=a::b\r", 4), 10 * mebibyte},
	} {
		t.Run(name, func(t *testing.T) {
			a := New(func(string) string { return "" }, io.Discard)
			a.Mask("a secret of some length")
			child := a.Child()
			chunk := []byte(strings.Repeat(test.line, 32<<10/len(test.line)))
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			peak := uint64(0)
			for n := range test.size / len(chunk) {
				_, _ = child.Write(chunk)
				if n%100 == 0 {
					runtime.ReadMemStats(&after)
					peak = max(peak, after.HeapAlloc)
				}
			}
			_ = child.Close()
			if peak > before.HeapAlloc+64<<20 {
				t.Errorf("the heap grew to %d MiB", peak>>20)
			}
		})
	}
}
