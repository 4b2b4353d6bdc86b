package job

import (
	"fmt"
	"strings"

	"github.com/org/promote/pkg/cluster"
	"github.com/org/promote/pkg/report"
)

// Changes shows, folded away, what the API server would change or has changed, secrets masked; "" without any.
func Changes(list []cluster.Change) string {
	if len(list) == 0 {
		return ""
	}
	var b strings.Builder
	for _, c := range list {
		fmt.Fprintf(&b, "%s `%s`\n", c.Action, c.Ref)
		if c.Diff != "" {
			b.WriteString("\n" + report.Code("diff", c.Diff) + "\n")
		}
	}
	return "\n" + report.Details("What changed", b.String()) + "\n"
}
