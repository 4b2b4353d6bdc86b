package mask

import (
	"slices"
	"strings"
)

// cuts are how a text says that it was cut: our own mark, and that of others.
var cuts = []string{"…", "..."}

// maxEdges bounds how many marks of a text are looked at, since each is compared with every form.
const maxEdges = 64

// edges finds what is left of a secret where a text was cut: the end of one behind a mark, or the beginning of one before it.
// Anywhere else so few bytes say nothing.
func (s *Set) edges(text string) []span {
	var found []span
	for _, mark := range cuts {
		for from, seen := 0, 0; seen < maxEdges; seen++ {
			at := strings.Index(text[from:], mark)
			if at < 0 {
				break
			}
			at += from
			from = at + len(mark)
			if n := s.ending(text[from:]); n > 0 {
				found = append(found, span{from, from + n})
			}
			if n := s.beginning(text[:at]); n > 0 {
				found = append(found, span{at - n, at})
			}
		}
	}
	slices.SortFunc(found, func(a, b span) int { return a.from - b.from })
	return found
}

// ending gives the length of the longest end of a form that text begins with.
func (s *Set) ending(text string) int {
	most := 0
	if len(text) < shortest {
		return 0
	}
	for form := range s.known {
		for rest := form; ; rest = rest[1:] {
			at := strings.Index(rest, text[:shortest])
			if at < 0 || len(rest)-at <= most {
				break
			}
			if rest = rest[at:]; strings.HasPrefix(text, rest) {
				most = len(rest)
				break // Shorter ends of the same form follow.
			}
		}
	}
	return most
}

// beginning gives the length of the longest beginning of a form that text ends with.
func (s *Set) beginning(text string) int {
	most := 0
	if len(text) < shortest {
		return 0
	}
	for form := range s.known {
		for rest := form; ; rest = rest[:len(rest)-1] {
			at := strings.LastIndex(rest, text[len(text)-shortest:])
			if at < 0 || at+shortest <= most {
				break
			}
			if rest = rest[:at+shortest]; strings.HasSuffix(text, rest) {
				most = len(rest)
				break
			}
		}
	}
	return most
}
