package manifest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// origin is a line, from 1, of a template file.
type origin struct {
	file string
	line int
}

func (o origin) String() string { return fmt.Sprintf("%s:%d", o.file, o.line) }

// sheet is what one template wrote, and where each piece of it comes from.
type sheet struct {
	bounded
	file  string
	marks map[*byte]mark
	steps *int // of all sheets of a rendering
	spans []span
	// included are the sheets of the templates that were included, the innermost first.
	included []*sheet
}

// span is a piece of a sheet: from its offset to the next one's.
type span struct {
	start int
	mark
}

// maxIncluded bounds what is kept of included texts, to place errors in them. It is more than a person writes.
const maxIncluded = 1000

func (s *sheet) Write(p []byte) (int, error) {
	if *s.steps++; *s.steps > maxSteps {
		return 0, errTooLong
	}
	if cap(p) > 0 {
		if m, ok := s.marks[&p[:1][0]]; ok {
			// Of several at one offset the last wrote something.
			if last := len(s.spans) - 1; last >= 0 && s.spans[last].start == s.Len() {
				s.spans = s.spans[:last]
			}
			s.spans = append(s.spans, span{start: s.Len(), mark: m})
		}
	}
	return s.bounded.Write(p)
}

// locate names the place in the templates that a line, from 1, of the text comes from.
func (s *sheet) locate(line int) string {
	text := s.String()
	start := 0
	for range line - 1 {
		next := strings.IndexByte(text[start:], '\n')
		if next < 0 {
			return s.file
		}
		start += next + 1
	}
	content, _, _ := strings.Cut(text[start:], "\n")
	place, ok := s.from(start, content)
	if !ok {
		return s.file
	}
	if inner, ok := s.inner(content); ok && !place.text && inner != place.at {
		return fmt.Sprintf("%s, included at %s", inner, place.at)
	}
	return place.at.String()
}

// from is the mark of the first character that is not blank in a line, with the line it comes from.
func (s *sheet) from(start int, line string) (mark, bool) {
	if blanks := len(line) - len(strings.TrimLeft(line, " \t\r")); blanks < len(line) {
		start += blanks
	}
	at, _ := slices.BinarySearchFunc(s.spans, start+1, func(s span, offset int) int { return cmp.Compare(s.start, offset) })
	if at == 0 {
		return mark{}, false
	}
	found := s.spans[at-1]
	if found.text {
		found.at.line += strings.Count(s.String()[found.start:start], "\n")
	}
	return found.mark, true
}

// inner finds the one line of the included texts that reads the same but for blanks around it. Functions such as nindent stand
// between the two, so there is no other way. What a template's own text wrote is nearer to the source than what an action wrote.
func (s *sheet) inner(line string) (origin, bool) {
	wanted := strings.TrimSpace(line)
	if wanted == "" {
		return origin{}, false
	}
	found := map[bool]map[origin]bool{true: {}, false: {}}
	for _, included := range s.included {
		start := 0
		for each := range strings.Lines(included.String()) {
			if strings.TrimSpace(each) == wanted {
				if m, ok := included.from(start, each); ok {
					found[m.text][m.at] = true
				}
			}
			start += len(each)
		}
	}
	for _, text := range []bool{true, false} {
		if len(found[text]) == 1 {
			for only := range found[text] {
				return only, true
			}
		}
		if len(found[text]) > 1 {
			break
		}
	}
	return origin{}, false
}
