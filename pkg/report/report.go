// Package report builds Markdown for summaries, comments and statuses out of plain values, and the page of a rollout in HTML
// ([HTML]). It is pure and imports no client library. What comes from outside (test names, branch names, messages) goes through [Escape], [Code] or a [Table] cell and
// can then neither break the page nor mention people.
//
// It refuses nothing: any text can be shown.
//
//	report.Table([]string{"Environment", "Result"}, [][]string{{"test", report.Status("success").String()}})
package report

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Status is a word for how something ended, or that it has not.
type Status string

// icons are what the words of all actions' results look like.
var icons = map[Status]string{
	"success": "✅", "passed": "✅", "deployed": "✅", "promoted": "✅", "unchanged": "✅", "reused": "✅", "built": "✅",
	"failure": "❌", "failed": "❌", "refused": "❌", "error": "❌", "rolled-back": "↩️",
	"pending": "⏳", "running": "⏳", "in_progress": "⏳",
	"skipped": "⏭️", "neutral": "➖", "planned": "📝",
}

// String is an icon and the word, so that it reads without colours and in screen readers; a word without an icon stands alone.
func (s Status) String() string {
	if icon, ok := icons[s]; ok {
		return icon + " " + strings.ReplaceAll(string(s), "_", " ")
	}
	return Escape(string(s))
}

// special are the characters that mean something to GitHub's Markdown within a line.
const special = "\\`*_{}[]<>()#+-!|~$&"

// Escape gives text that shows as written on one line: no formatting, links, HTML, mentions or references to issues.
func Escape(s string) string {
	var b strings.Builder
	for _, r := range strings.Join(strings.Fields(s), " ") {
		switch {
		case r == '@' || r == '#':
			// A backslash does not stop a mention or a reference; an entity inside of a comment does not either, but a
			// zero-width joiner after the sign does.
			if r == '#' {
				b.WriteByte('\\')
			}
			b.WriteRune(r)
			b.WriteRune('\u200d')
		case strings.ContainsRune(special, r):
			b.WriteByte('\\')
			b.WriteRune(r)
		case unseen(r):
			b.WriteRune('\uFFFD')
		default:
			b.WriteRune(r)
		}
	}
	return breakLinks(b.String())
}

// breakLinks keeps bare addresses from becoming links.
func breakLinks(s string) string {
	for _, scheme := range []string{"://", "www."} {
		s = strings.ReplaceAll(s, scheme, scheme[:1]+"\u200d"+scheme[1:])
	}
	return s
}

// unseen says whether r is not seen but changes how text reads: it turns the direction of writing, or makes two names look the same.
// The joiners stay, which emoji and some scripts are written with.
func unseen(r rune) bool {
	return r == utf8.RuneError || r != '\u200C' && r != '\u200D' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r))
}

// legible shows what is not seen as a replacement character, but for tabs and line breaks.
func legible(s string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && unseen(r) {
			return '\uFFFD'
		}
		return r
	}, strings.ReplaceAll(s, "\r\n", "\n"))
}

// Table gives a table. Header and cells are Markdown: escape what comes from outside. Newlines become line breaks within the
// cell, short rows are filled, and no rows give "".
func Table(header []string, rows [][]string) string {
	if len(rows) == 0 {
		return ""
	}
	var b strings.Builder
	line := func(cells []string) {
		b.WriteString("|")
		for i := range header {
			text := ""
			if i < len(cells) {
				text = cell(cells[i])
			}
			fmt.Fprintf(&b, " %s |", text)
		}
		b.WriteString("\n")
	}
	line(header)
	b.WriteString("|" + strings.Repeat(" --- |", len(header)) + "\n")
	for _, row := range rows {
		line(row)
	}
	return b.String()
}

// cell keeps a cell on its line and inside its column; a bar may already be escaped.
func cell(s string) string {
	s = strings.NewReplacer("\r\n", "<br>", "\n", "<br>", "\r", "<br>").Replace(strings.TrimSpace(s))
	var b strings.Builder
	backslashes := 0
	for _, r := range s {
		if r == '|' && backslashes%2 == 0 {
			b.WriteByte('\\')
		}
		if r == '\\' {
			backslashes++
		} else {
			backslashes = 0
		}
		b.WriteRune(r)
	}
	return b.String()
}

// Details folds body, which is Markdown, under a title, which is text.
func Details(title, body string) string {
	return fmt.Sprintf("<details><summary>%s</summary>\n\n%s\n\n</details>\n", html(title), strings.TrimSpace(body))
}

// Code gives a block of text as it is, but for what is not seen. The fence is longer than any run of backticks in it, so text cannot end the block.
func Code(lang, body string) string {
	body = legible(body)
	fence := strings.Repeat("`", max(3, longestRun(body, '`')+1))
	lang = strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-' {
			return r
		}
		return -1
	}, lang)
	return fence + lang + "\n" + strings.TrimRight(body, "\r\n") + "\n" + fence + "\n"
}

// Inline gives text as code within a line, with line breaks as spaces. Empty text gives "".
func Inline(s string) string {
	s = legible(strings.Join(strings.Fields(s), " "))
	if s == "" {
		return ""
	}
	fence := strings.Repeat("`", longestRun(s, '`')+1)
	if strings.HasPrefix(s, "`") || strings.HasSuffix(s, "`") {
		s = " " + s + " "
	}
	return fence + s + fence
}

func longestRun(s string, of byte) int {
	longest, run := 0, 0
	for i := range len(s) {
		if s[i] == of {
			run++
			longest = max(longest, run)
		} else {
			run = 0
		}
	}
	return longest
}

func html(s string) string {
	s = legible(strings.Join(strings.Fields(s), " "))
	return breakLinks(strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "@", "@\u200d", "#", "#\u200d").Replace(s))
}
