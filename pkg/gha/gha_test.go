package gha

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/org/promote/pkg/report"
)

// surroundings gives an action with the variables, and what it prints.
func surroundings(t *testing.T, variables map[string]string) (*Action, *bytes.Buffer) {
	t.Helper()
	var log bytes.Buffer
	return New(func(name string) string { return variables[name] }, &log), &log
}

func TestInputs(t *testing.T) {
	t.Run("unset and empty are the same and give the fallback", func(t *testing.T) {
		a, _ := surroundings(t, map[string]string{"INPUT_SET_EMPTY": " \n"})
		in := a.Inputs()
		got := []any{
			in.String("set-empty", "s"), in.Bool("set-empty", true), in.Int("unset", 3, 0, 9),
			in.Duration("unset", time.Minute), in.List("unset", "a"), in.OneOf("unset", "x", "x", "y"),
		}
		want := []any{"s", true, 3, time.Minute, []string{"a"}, "x"}
		if diff := cmp.Diff(want, got); diff != "" || in.Err() != nil {
			t.Errorf("%v\n%s", in.Err(), diff)
		}
	})
	t.Run("values are read and trimmed", func(t *testing.T) {
		a, _ := surroundings(t, map[string]string{
			"INPUT_TEST_COMMAND": " go test \n", "INPUT_B": "False", "INPUT_I": "9", "INPUT_D": "1m30s",
			"INPUT_L": "a, b\n\n c ,", "INPUT_O": "y",
		})
		in := a.Inputs()
		got := []any{
			in.String("test-command", ""), in.Bool("b", true), in.Int("i", 3, 0, 9), in.Duration("d", 0), in.List("l"), in.OneOf("o", "x", "x", "y"),
		}
		want := []any{"go test", false, 9, 90 * time.Second, []string{"a", "b", "c"}, "y"}
		if diff := cmp.Diff(want, got); diff != "" || in.Err() != nil {
			t.Errorf("%v\n%s", in.Err(), diff)
		}
	})
	t.Run("every problem comes at once and names the input and the fix", func(t *testing.T) {
		a, _ := surroundings(t, map[string]string{
			"INPUT_B": "yes", "INPUT_I": "10", "INPUT_D": "-5s", "INPUT_O": "z", "INPUT_E": "5 minutes",
		})
		in := a.Inputs()
		in.Required("environment", "name it, for instance test")
		in.Bool("b", false)
		in.Int("i", 3, 0, 9)
		in.Duration("d", 0)
		in.Duration("e", 0)
		in.OneOf("o", "x", "x", "y")
		in.Problem("o", "is 100% odd")
		want := `reading inputs: 7 problems:
- input "environment" is required: name it, for instance test
- input "b" is "yes"; set it to true or false
- input "i" is "10"; set it to a whole number from 0 to 9
- input "d" is "-5s"; set it to a time span such as 90s or 5m
- input "e" is "5 minutes"; set it to a time span such as 90s or 5m
- input "o" is "z"; set it to one of: x, y
- input "o" is 100% odd`
		if diff := cmp.Diff(want, in.Err().Error()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestOutputs(t *testing.T) {
	t.Run("a hostile value cannot write another output", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "output")
		a, _ := surroundings(t, map[string]string{"GITHUB_OUTPUT": file})
		hostile := "x\n_GitHubActionsFileCommandDelimeter_\nresult<<E\npassed\nE"
		if err := errors.Join(a.SetOutput("title", hostile), a.SetOutput("result", "failed")); err != nil {
			t.Fatal(err)
		}
		got := readOutputs(t, file)
		if diff := cmp.Diff(map[string]string{"title": hostile, "result": "failed"}, got); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("a value with a masked secret is an error", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "output")
		a, _ := surroundings(t, map[string]string{"GITHUB_OUTPUT": file})
		a.Mask("hunter22")
		err := a.SetOutput("url", "https://x/?key=hunter22")
		if err == nil || strings.Contains(err.Error(), "hunter22") {
			t.Errorf("got %v", err)
		}
		if _, err := os.Stat(file); err == nil {
			t.Error("it was written all the same")
		}
	})
	t.Run("a file that cannot be written is an error and not a panic", func(t *testing.T) {
		a, _ := surroundings(t, map[string]string{"GITHUB_OUTPUT": t.TempDir(), "GITHUB_STEP_SUMMARY": t.TempDir() + "/no/where"})
		if err := a.SetOutput("a", "b"); err == nil {
			t.Error("the output reported nothing")
		}
		if err := a.Summary("text"); err == nil {
			t.Error("the summary reported nothing")
		}
	})
	t.Run("a name that would end the line is refused", func(t *testing.T) {
		a, _ := surroundings(t, nil)
		if err := a.SetOutput("a\nb", "c"); err == nil {
			t.Error("no error")
		}
	})
}

// readOutputs reads a command file as the runner does: name<<delimiter, lines, delimiter.
func readOutputs(t *testing.T, file string) map[string]string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	lines := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
	for i := 0; i < len(lines); i++ {
		name, delimiter, ok := strings.Cut(lines[i], "<<")
		if !ok {
			t.Fatalf("line %q begins no output", lines[i])
		}
		var value []string
		for i++; lines[i] != delimiter; i++ {
			value = append(value, lines[i])
		}
		found[name] = strings.Join(value, "\n")
	}
	return found
}

func TestSummary(t *testing.T) {
	t.Run("appends, with secrets replaced", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "summary")
		a, _ := surroundings(t, map[string]string{"GITHUB_STEP_SUMMARY": file})
		a.Mask("hunter22")
		if err := errors.Join(a.Summary("# One"), a.Summary("the key is hunter22")); err != nil {
			t.Fatal(err)
		}
		got, _ := os.ReadFile(file)
		if string(got) != "# One\nthe key is ***\n" {
			t.Errorf("got %q", got)
		}
	})
	t.Run("stays below GitHub's limit over several writes and closes an open code block", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "summary")
		a, _ := surroundings(t, map[string]string{"GITHUB_STEP_SUMMARY": file})
		for range 4 {
			if err := a.Summary("````text\n" + strings.Repeat("0123456789abcde\n", 30_000) + "````\n"); err != nil {
				t.Fatal(err)
			}
		}
		got, _ := os.ReadFile(file)
		if len(got) > 1<<20 || len(got) < 900_000 {
			t.Errorf("it has %d bytes", len(got))
		}
		if !strings.Contains(string(got), "abcde\n\n````"+summaryCut) || strings.Count(string(got), "was cut here") != 1 {
			t.Errorf("the end is %q", got[len(got)-200:])
		}
	})
}

func TestLogIsHarmless(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"a command":                      {"::set-output name=a::b", ": :set-output name=a::b\n"},
		"a command after white space":    {" \t::add-path::/x", " \t: :add-path::/x\n"},
		"a command after a lone return":  {"50%\r::error::x", "50%\n: :error::x\n"},
		"a command in a second line":     {"title\n::error::x", "title\n: :error::x\n"},
		"a command with unseen signs":    {"\u200b:\u200d:error::x", ": :error::x\n"},
		"an old command within the line": {"a ##[error]x", "a # #[error]x\n"},
		"colons elsewhere":               {"std::vector and a: b", "std::vector and a: b\n"},
		"colours":                        {"\x1b[31mred: yes\x1b[0m", "\x1b[31mred: yes\x1b[0m\n"},
	} {
		t.Run(name, func(t *testing.T) {
			a, log := surroundings(t, nil)
			a.Infof("%s", test.text)
			if diff := cmp.Diff(test.want, log.String()); diff != "" {
				t.Error(diff)
			}
			log.Reset()
			child := a.Child()
			for i := range len(test.text) { // in the smallest pieces
				fmt.Fprint(child, test.text[i:i+1])
			}
			_ = child.Close()
			if diff := cmp.Diff(test.want, log.String()); diff != "" {
				t.Errorf("as a child's output:\n%s", diff)
			}
		})
	}
}

func TestChild(t *testing.T) {
	t.Run("masks a secret that comes in pieces", func(t *testing.T) {
		a, log := surroundings(t, nil)
		a.Mask("hunter22")
		log.Reset()
		child := a.Child()
		for _, piece := range []string{"key=hun", "ter", "22;\nmore hunter2"} {
			fmt.Fprint(child, piece)
		}
		_ = child.Close()
		if got := log.String(); got != "key=***;\nmore hunter2\n" {
			t.Errorf("got %q", got)
		}
	})
	t.Run("masks a secret in base64 that is broken into lines, whatever comes first", func(t *testing.T) {
		a, log := surroundings(t, nil)
		a.Mask("hunter22 is here")
		log.Reset()
		child := a.Child()
		encoded := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("-", 50) + "hunter22 is here" + strings.Repeat("-", 90)))
		for line := range slices.Chunk([]byte(encoded), 76) {
			fmt.Fprintf(child, "%s\n", line)
		}
		fmt.Fprint(child, "the end\n")
		got := log.String()
		_ = child.Close()
		if flat := strings.ReplaceAll(got, "\n", ""); flat != a.Redact(encoded)+"the end" || !strings.Contains(flat, "***") {
			t.Errorf("got %q", got)
		}
	})
	t.Run("masks a secret where an endless line is cut", func(t *testing.T) {
		a, log := surroundings(t, nil)
		a.Mask("hunter22")
		log.Reset()
		child := a.Child()
		fmt.Fprint(child, strings.Repeat("x", longestLine-3)+"hunter22"+strings.Repeat("y", 100))
		_ = child.Close()
		if got := log.String(); strings.Contains(got, "hun") || !strings.Contains(got, "***") {
			t.Errorf("the cut shows: %q", got[longestLine-20:])
		}
	})
}

func TestMask(t *testing.T) {
	t.Run("tells the runner each line and leaf, and base64 of each, before anything else is printed", func(t *testing.T) {
		a, log := surroundings(t, nil)
		a.Mask("{\"user\": \"admin\", \"nested\": {\"password\": \"p4ss\\nw0rd\", \"pin\": 12345, \"on\": true}}")
		b64 := func(s string) string { return base64.RawStdEncoding.EncodeToString([]byte(s)) }
		for _, want := range []string{"admin", "p4ss", "w0rd", "12345", b64("admin"), b64("p4ss")} {
			if !strings.Contains(log.String(), "::add-mask::"+want+"\n") {
				t.Errorf("%q is not among\n%s", want, log)
			}
		}
		if strings.Contains(log.String(), "::true") || strings.Count(log.String(), "\n") != strings.Count(log.String(), "::add-mask::") {
			t.Errorf("more is told than masks:\n%s", log)
		}
	})
	t.Run("what the summary escapes is masked too", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "summary")
		a, _ := surroundings(t, map[string]string{"GITHUB_STEP_SUMMARY": file})
		a.Mask("s3cr3t-pa_ss")
		if err := a.Summary("it is " + report.Escape("s3cr3t-pa_ss")); err != nil {
			t.Fatal(err)
		}
		if got, _ := os.ReadFile(file); string(got) != "it is ***\n" {
			t.Errorf("got %q", got)
		}
	})
	t.Run("a secret input is masked as it is read", func(t *testing.T) {
		a, log := surroundings(t, map[string]string{"INPUT_GITHUB_TOKEN": "hunter22"})
		if got := a.Inputs().Secret("github-token", "pass it"); got != "hunter22" || !strings.HasPrefix(log.String(), "::add-mask::hunter22\n") {
			t.Errorf("%q, and the log is %q", got, log)
		}
	})
	t.Run("skips what is shorter than four bytes", func(t *testing.T) {
		a, log := surroundings(t, nil)
		a.Mask("abc")
		a.Mask("a\n{\n}\n")
		for line := range strings.Lines(log.String()) {
			if value := strings.TrimSpace(strings.TrimPrefix(line, "::add-mask::")); len(value) < 4 {
				t.Errorf("masked %q", value)
			}
		}
	})
	t.Run("a masked value stands in nothing that is printed", func(t *testing.T) {
		a, log := surroundings(t, nil)
		a.Mask("hunter22")
		log.Reset()
		a.Infof("i %s", "hunter22")
		a.Debugf("d %s", "hunter22")
		a.Noticef("n %s", "hunter22")
		a.Annotate(Annotation{Level: Error, File: "hunter22", Title: "hunter22", Message: "hunter22"})
		a.Group("g hunter22")()
		a.finish(t.Context(), errors.New("e hunter22"))
		if strings.Contains(log.String(), "hunter22") {
			t.Error(log)
		}
	})
}

func TestAnnotations(t *testing.T) {
	t.Run("carry file, line and title, escaped", func(t *testing.T) {
		a, log := surroundings(t, nil)
		a.Annotate(Annotation{Level: Warning, File: "a,b.go", Line: 3, Title: "x: y", Message: "100%\n::error::z"})
		want := "::warning file=a%2Cb.go,line=3,title=x%3A y::100%25%0A::error::z\n"
		if diff := cmp.Diff(want, log.String()); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("past ten of a level go to the log", func(t *testing.T) {
		a, log := surroundings(t, nil)
		for i := range 12 {
			a.Annotate(Annotation{Level: Error, File: "a.go", Line: i + 1, Message: "bad"})
		}
		a.Warningf("still here")
		if got := strings.Count(log.String(), "::error "); got != annotationCap {
			t.Errorf("%d annotations", got)
		}
		if !strings.Contains(log.String(), "\nerror: a.go:12: bad\n") || !strings.Contains(log.String(), "::warning::still here") {
			t.Error(log)
		}
	})
	t.Run("are cut at GitHub's 4096 bytes between characters", func(t *testing.T) {
		a, log := surroundings(t, nil)
		a.Errorf("%s", strings.Repeat("é", 5000))
		message := strings.TrimSuffix(strings.TrimPrefix(log.String(), "::error::"), "\n")
		if len(message) > messageCap || len(message) < messageCap-4 || !strings.HasSuffix(message, "é…") {
			t.Errorf("%d bytes, ends in %q", len(message), message[len(message)-8:])
		}
	})
}

func TestEnv(t *testing.T) {
	a, _ := surroundings(t, map[string]string{
		"GITHUB_REPOSITORY": "org/shop", "GITHUB_RUN_ID": "42", "GITHUB_RUN_ATTEMPT": "2", "GITHUB_API_URL": "https://ghe.test/api/v3/",
		"PROMOTE_RUNNER_ENVIRONMENT": "stage",
	})
	want := Env{
		Repository: "org/shop", RunID: "42", RunAttempt: "2", APIURL: "https://ghe.test/api/v3", ServerURL: "https://github.com",
		RunURL: "https://github.com/org/shop/actions/runs/42/attempts/2", RunnerEnvironment: "stage",
	}
	if diff := cmp.Diff(want, a.Env(), cmpopts.EquateComparable()); diff != "" {
		t.Error(diff)
	}
	if got := a.Env().Run(); got != "42-2" {
		t.Errorf("Run() = %q", got)
	}
}
