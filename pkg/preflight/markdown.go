package preflight

import (
	"fmt"
	"strings"

	"github.com/org/promote/pkg/report"
)

// Markdown is the summary: the verdict, what is to change and how, what could not be seen, what could be better, and all in a table.
func (r Report) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "### %s Preflight: %s\n", r.worst().sign(), r.verdict())
	for i, f := range r.in(Wrong) {
		if i == 0 {
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, "%d. %s\n", i+1, f.item())
	}
	for i, f := range r.in(Unknown) {
		if i == 0 {
			b.WriteString("\nCould not be looked at:\n\n")
		}
		b.WriteString("- " + f.item() + "\n")
	}
	first := true
	for _, f := range r.in(Noted) {
		if f.Fix == "" {
			continue // the table has it
		}
		if first {
			b.WriteString("\nWorth a look:\n\n")
			first = false
		}
		b.WriteString("- " + f.item() + "\n")
	}
	var rows [][]string
	for _, f := range r.Findings {
		rows = append(rows, []string{report.Escape(f.Area), report.Escape(f.Subject), f.State.sign() + " " + f.State.String(), prose(f.Told)})
	}
	if len(rows) > 0 {
		b.WriteString("\n" + report.Table([]string{"Where", "What", "State", "Seen"}, rows))
	}
	return b.String()
}

// worst is the state that decides how the whole reads. Nothing seen is not good.
func (r Report) worst() State {
	switch {
	case len(r.in(Wrong)) > 0:
		return Wrong
	case len(r.in(Unknown)) > 0 || len(r.Findings) == 0:
		return Unknown
	}
	return Good
}

// item is a finding as an item of a list.
func (f Finding) item() string {
	text := "**" + report.Escape(f.Area) + "**: " + report.Escape(f.Subject)
	if f.Told != "" {
		text += ": " + prose(f.Told)
	}
	fix, copied := f.fix()
	if fix != "" {
		text += "<br>→ " + prose(fix)
	}
	if len(copied) > 0 {
		block := strings.TrimRight(report.Code("text", strings.Join(copied, "\n")), "\n")
		text += "\n\n   " + strings.ReplaceAll(block, "\n", "\n   ") + "\n"
	}
	return text
}

// prose gives text on one line in which only what stands between two backticks has a form: that of code.
func prose(text string) string {
	pieces := strings.Split(strings.Join(strings.Fields(text), " "), "`")
	if len(pieces)%2 == 0 { // one has no partner
		return report.Escape(text)
	}
	var b strings.Builder
	for i, piece := range pieces {
		if i%2 == 1 {
			b.WriteString(report.Inline(piece))
			continue
		}
		bare := strings.Trim(piece, " ")
		before, after, _ := strings.Cut(piece, bare)
		b.WriteString(before + report.Escape(bare) + after)
	}
	return b.String()
}
