package github

import (
	"errors"
	"slices"
	"strings"

	"github.com/org/promote/pkg/report"
)

// Untold is the part of a summary about what GitHub would not take, as Markdown, with the very lines to add to the workflow:
// what can't be told there is told here. Nil errors are none; without any it is "".
func Untold(errs ...error) string {
	var lines, permissions []string
	for _, err := range errs {
		if err == nil {
			continue
		}
		line := "- " + report.Escape(err.Error())
		if slices.Contains(lines, line) {
			continue
		}
		lines = append(lines, line)
		var missing *PermissionError
		if errors.As(err, &missing) {
			permissions = append(permissions, "  "+missing.Permission)
		}
	}
	if len(lines) == 0 {
		return ""
	}
	slices.Sort(permissions)
	text := "#### GitHub was not told\n\n" + strings.Join(lines, "\n") + "\n"
	if len(permissions) > 0 {
		text += "\nAdd to the job in the workflow, beside the lines that are there:\n\n" +
			report.Code("yaml", "permissions:\n"+strings.Join(slices.Compact(permissions), "\n"))
	}
	return text
}
