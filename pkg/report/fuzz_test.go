package report

import (
	"strings"
	"testing"

	"github.com/org/promote/pkg/hostile"
)

// FuzzEscape shows text of any kind: no markup is left, and a table keeps its shape.
func FuzzEscape(f *testing.F) {
	for _, text := range hostile.Texts {
		if len(text) < 10_000 {
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		if bare := withoutEscapes(Escape(text)); strings.ContainsAny(bare, "<>[]`*_|&$~!\n\r") || strings.Contains(bare, "://") || strings.Contains(bare, "www.") {
			t.Errorf("Escape leaves markup: %q", bare)
		}
		lines := strings.Split(strings.TrimSuffix(Table([]string{"A", "B"}, [][]string{{Escape(text), Inline(text)}}), "\n"), "\n")
		if len(lines) != 3 || strings.Count(withoutEscapes(lines[2]), "|") != 3 {
			t.Errorf("the table lost its shape: %q", lines)
		}
		if fold := Details(text, ""); strings.Count(fold, "<") != 4 {
			t.Errorf("Details has markup of its title: %q", fold)
		}
	})
}
