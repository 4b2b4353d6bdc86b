package gha

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/org/promote/pkg/hostile"
)

// FuzzLog prints text of any kind, and a child's output in pieces: the runner finds no command in it.
func FuzzLog(f *testing.F) {
	for _, text := range hostile.Texts {
		if len(text) < 10_000 {
			f.Add(text, uint8(3))
		}
	}
	f.Fuzz(func(t *testing.T, text string, piece uint8) {
		a, log := surroundings(t, nil)
		a.Infof("%s", text)
		child := a.Child()
		for rest := []byte(text); len(rest) > 0; {
			n, _ := child.Write(rest[:min(len(rest), int(piece)+1)])
			rest = rest[n:]
		}
		_ = child.Close()
		if got := obeyed(log.String()); len(got) > 0 {
			t.Errorf("the log has commands: %q", got)
		}
	})
}

// FuzzSetOutput writes a value of any kind: it is the one output, byte for byte.
func FuzzSetOutput(f *testing.F) {
	for _, text := range hostile.Texts {
		if len(text) < 10_000 {
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		file := filepath.Join(t.TempDir(), "output")
		a, _ := surroundings(t, map[string]string{"GITHUB_OUTPUT": file})
		if err := a.SetOutput("title", text); err != nil {
			t.Fatal(err)
		}
		if got := readOutputs(t, file); len(got) != 1 || got["title"] != text {
			data, _ := os.ReadFile(file)
			t.Errorf("got %q of %q", got, data)
		}
	})
}
