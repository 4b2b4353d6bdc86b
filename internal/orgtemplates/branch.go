package main

import (
	"fmt"
	"regexp"
	"strings"
)

// placeholder is what GitHub replaces by the name of the repository's default branch when somebody takes the template.
const placeholder = "$default-branch"

var (
	// filter is a list of branches that an event is narrowed to.
	filter = regexp.MustCompile(`(?m)^( +branches: )\[main\]$`)
	// left is what stands for the branch all the same, outside of comments.
	left = regexp.MustCompile(`\bmain\b`)
)

// comparison is how an expression names the branch. The payload knows it, so no text has to be replaced within an expression.
const (
	comparison = `'refs/heads/main'`
	asked      = `format('refs/heads/{0}', github.event.repository.default_branch)`
)

// withDefaultBranch takes the name of this project's main branch out of a workflow.
func withDefaultBranch(text string) (string, error) {
	text = filter.ReplaceAllString(text, "${1}["+strings.ReplaceAll(placeholder, "$", "$$")+"]")
	text = strings.ReplaceAll(text, comparison, asked)
	line := 0
	for each := range strings.Lines(text) {
		line++
		code, _, _ := strings.Cut(each, "#")
		if left.MatchString(code) {
			return "", fmt.Errorf("line %d names the branch main in a way that is not known here: %q", line, strings.TrimSpace(each))
		}
	}
	return text, nil
}
