package gha

import (
	"strings"
	"unicode"
)

// splitLines splits as the runner does: at \n, \r\n and at a lone \r, which would else hide a command in mid-line.
func splitLines(text string) []string {
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
	return strings.Split(strings.TrimSuffix(text, "\n"), "\n")
}

// harmless gives a line that the runner reads as text. It takes "::name::" for a command at the start of a line, after any
// white space (https://github.com/actions/runner, ActionCommand.TryParseV2), and "##[name]" anywhere in it (TryParse).
// Characters that are not seen are left out of the comparison, since the runner's is by culture and skips them.
func harmless(line string) string {
	if !strings.ContainsAny(line, ":#") {
		return line
	}
	seen := strings.Map(visible, line)
	if strings.Contains(seen, "##[") {
		line = strings.ReplaceAll(seen, "##[", "# #[")
		seen = line
	}
	start := strings.TrimLeftFunc(seen, unicode.IsSpace)
	if strings.HasPrefix(start, "::") {
		return seen[:len(seen)-len(start)] + ": :" + start[2:]
	}
	return line
}

func visible(r rune) rune {
	if r != '\t' && (unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point)) {
		return -1
	}
	return r
}
