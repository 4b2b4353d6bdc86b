package gate

import (
	"fmt"
	"strings"
	"time"

	"github.com/org/promote/pkg/change"
	"github.com/org/promote/pkg/evidence"
	"github.com/org/promote/pkg/report"
)

// Table shows a chain of evidence as Markdown; "" without one.
func Table(chain []evidence.Link) string {
	if len(chain) == 0 {
		return ""
	}
	var rows [][]string
	for _, link := range chain {
		rows = append(rows, []string{
			link.Gate, mark(link.Result), when(link.Time), report.Escape(change.Short(link.Commit)), counted(link.Tests),
			report.Escape(strings.Join(link.Approvers, ", ")), signer(link), report.Link("run", link.Run),
		})
	}
	return report.Table([]string{"Gate", "Result", "When", "Commit", "Tests", "Approved by", "Signed by", ""}, rows)
}

func mark(result string) string {
	if result == evidence.Passed {
		return "✅ passed"
	}
	return "❌ " + report.Escape(result)
}

func when(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format("2006-01-02 15:04:05 UTC")
}

func counted(t *evidence.Tests) string {
	if t == nil {
		return ""
	}
	return fmt.Sprintf("%d, %d failed, %d skipped", t.Total, t.Failed, t.Skipped)
}

// signer shows the start of the key's id, which tells keys apart; the whole one is in the statement.
func signer(link evidence.Link) string {
	switch {
	case link.Statement == "":
		return ""
	case link.Signer == "":
		return "nobody"
	case len(link.Signer) > 12:
		return report.Escape(link.Signer[:12] + "…")
	}
	return report.Escape(link.Signer)
}
