package templates

import (
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rhysd/actionlint"
)

// TestOurOwnWorkflowsAreCleanAndPinned holds the workflows of this repository to what it asks of others.
func TestOurOwnWorkflowsAreCleanAndPinned(t *testing.T) {
	paths, err := filepath.Glob("../../.github/workflows/*.yml")
	if err != nil || len(paths) == 0 {
		t.Fatalf("there are no workflows (%v)", err)
	}
	linter, err := actionlint.NewLinter(io.Discard, &actionlint.LinterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	pinned := regexp.MustCompile(`^\s*(?:- )?uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$`)
	for _, path := range paths {
		problems, err := linter.LintFile(path, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, problem := range problems {
			t.Errorf("%s:%d: %s (%s)", path, problem.Line, problem.Message, problem.Kind)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if strings.Contains(line, "uses:") && !pinned.MatchString(strings.TrimRight(line, "\n")) {
				t.Errorf("%s: %q is not pinned by its commit, with the version behind it", path, strings.TrimSpace(line))
			}
			if strings.Contains(line, "run:") && strings.Contains(line, "${{") {
				t.Errorf("%s: %q hands an expression to the shell", path, strings.TrimSpace(line))
			}
		}
	}
}
