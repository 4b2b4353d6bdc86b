package report

import (
	"strings"
	"testing"
	"unicode"

	"github.com/org/promote/pkg/hostile"
)

func TestHostileTextsStayText(t *testing.T) {
	for name, text := range hostile.Texts {
		t.Run(name, func(t *testing.T) {
			for what, shown := range map[string]string{
				"Escape": Escape(text), "Inline": Inline(text), "Code": Code("text", text), "Details": Details(text, "body"),
				"Table": Table([]string{"A", "B"}, [][]string{{Escape(text), Inline(text)}}), "Status": Status(text).String(), "Plain": Plain(text), "Link": Link("t", "https://x.test/"+text+"?q="+text),
			} {
				for _, r := range shown {
					if unicode.Is(unicode.Cf, r) && r != '\u200C' && r != '\u200D' || unicode.IsControl(r) && r != '\n' && r != '\t' {
						t.Fatalf("%s shows %U, which is not seen: %.200q", what, r, shown)
					}
				}
			}
			escaped := Escape(text)
			if strings.ContainsAny(escaped, "\n\r") {
				t.Errorf("Escape gives several lines: %.200q", escaped)
			}
			if bare := withoutEscapes(escaped); strings.ContainsAny(bare, "<>[]`*_|&$~!") || strings.Contains(bare, "://") || strings.Contains(bare, "www.") {
				t.Errorf("Escape leaves markup: %.200q", escaped)
			}
			if fold := Details(text, ""); strings.Count(fold, "<") != 4 || strings.Contains(fold, "://") {
				t.Errorf("Details has markup of its title: %.300q", fold)
			}
			if lines := strings.Split(strings.TrimSuffix(Table([]string{"A", "B"}, [][]string{{Escape(text), Inline(text)}}), "\n"), "\n"); len(lines) != 3 {
				t.Errorf("a row became %d lines", len(lines)-2)
			} else if got := strings.Count(withoutEscapes(lines[2]), "|"); got != 3 {
				t.Errorf("a row of two cells has %d bars: %.300q", got, lines[2])
			}
			code := strings.Split(strings.TrimSuffix(Code("text", text), "\n"), "\n")
			fence := code[len(code)-1]
			for _, line := range code[1 : len(code)-1] {
				if trimmed := strings.TrimSpace(line); strings.HasPrefix(trimmed, fence) {
					t.Errorf("the line %.200q ends a block that %q began", line, fence)
				}
			}
			if link := Link("t", text); strings.Contains(strings.ToLower(link), "javascript:") {
				t.Errorf("Link gives %.200q", link)
			}
		})
	}
}

// withoutEscapes puts an x for each backslash and the character that it makes text.
func withoutEscapes(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' {
			i++
			b.WriteByte('x')
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
