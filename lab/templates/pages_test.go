package templates

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rhysd/actionlint"
)

// Whole workflows that stand in pages are linted like the templates; that single steps have the right inputs is internal/docs'
// affair.
func TestActionlintFindsNothingInThePages(t *testing.T) {
	linter, err := actionlint.NewLinter(io.Discard, &actionlint.LinterOptions{ConfigFile: filepath.Join(folder, "actionlint.yaml")})
	if err != nil {
		t.Fatal(err)
	}
	var pages []string
	for _, pattern := range []string{"*.md", "docs/*.md", "actions/*/*.md", "examples/*/*.md"} {
		found, err := filepath.Glob(filepath.Join("../..", pattern))
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, found...)
	}
	linted := 0
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range strings.Split(string(text), "```yaml\n")[1:] {
			block, _, _ = strings.Cut(block, "```")
			if !strings.Contains("\n"+block, "\non:") || !strings.Contains("\n"+block, "\njobs:") {
				continue
			}
			linted++
			problems, err := linter.Lint(page, []byte(block), nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, problem := range problems {
				t.Errorf("%s: line %d of the workflow %q: %s (%s)", page, problem.Line, block[:min(len(block), 40)], problem.Message, problem.Kind)
			}
		}
	}
	if linted < 2 {
		t.Errorf("only %d workflows were found in %d pages", linted, len(pages))
	}
}
