//go:build lab

package pages

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/org/promote/internal/docs"
)

// TestTheGuideHolds puts the code of docs/extending.md into the tree, by an overlay that leaves the tree as it is, and runs the tests that
// the page names.
func TestTheGuideHolds(t *testing.T) {
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	overlay := map[string]string{}
	dir := t.TempDir()
	put := func(path, text string) {
		file := filepath.Join(dir, strings.ReplaceAll(path, "/", "_"))
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		overlay[filepath.Join(root, path)] = file
	}
	blocks := page(t, root, "docs/extending.md").Blocks()
	for _, b := range blocks {
		kind, path, _ := strings.Cut(b.Mark, ": ")
		switch kind {
		case "file":
			put(path, b.Text)
		case "edit":
			put(path, edited(t, filepath.Join(root, path), b))
		}
	}
	file := filepath.Join(dir, "overlay.json")
	data, err := json.Marshal(map[string]any{"Replace": overlay})
	if err == nil {
		err = os.WriteFile(file, data, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, b := range blocks {
		if b.Mark != "guide" {
			continue
		}
		for _, c := range b.Commands() {
			ran++
			args := append([]string{"test", "-overlay", file, "-count=1", "-v"}, c.Words[2:]...)
			cmd := exec.CommandContext(t.Context(), "go", args...)
			cmd.Dir = root
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Errorf("%s\n%v: %s", strings.Join(c.Words, " "), err, out)
			}
			if !strings.Contains(string(out), "graphite") && !strings.Contains(string(out), "TestNerdctl") {
				t.Errorf("%s did not test what the page adds:\n%s", strings.Join(c.Words, " "), out)
			}
		}
	}
	if ran < 2 {
		t.Errorf("the page runs %d commands", ran)
	}
}

// edited is a file with the lines that a block adds, behind the line that it shows.
func edited(t *testing.T, path string, b docs.Block) string {
	t.Helper()
	source, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var behind, added []string
	for line := range strings.Lines(b.Text) {
		if rest, found := strings.CutPrefix(line, "+"); found {
			added = append(added, rest)
		} else {
			behind = append(behind, strings.TrimPrefix(line, " "))
		}
	}
	before, after, found := strings.Cut(string(source), strings.Join(behind, ""))
	if !found {
		t.Fatalf("%s has no line %q", path, behind)
	}
	return before + strings.Join(behind, "") + strings.Join(added, "") + after
}
