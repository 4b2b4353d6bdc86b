package mask

import "strings"

// shortestWrap is the shortest line, in bytes, at whose end base64 goes on in the next: PEM breaks at 64, MIME and `base64` at 76.
const shortestWrap = 60

// Wrapped says whether line, the last of a text, may be base64 that goes on in the next line, so that it should be shown together
// with it.
func Wrapped(line string) bool {
	line = strings.TrimSuffix(line, "\r")
	return len(line) >= shortestWrap && !strings.ContainsFunc(line, notBase64)
}

func notBase64(r rune) bool {
	return (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && (r < '0' || r > '9') && !strings.ContainsRune("+/-_", r)
}

// gap is a line break that was taken out before a place.
type gap struct{ before, width int }

// unwrap takes the line breaks out of base64 that was broken into lines, and says where they were.
func unwrap(text string) (flat string, gaps []gap) {
	var b strings.Builder
	for line := range strings.Lines(text) {
		content := strings.TrimSuffix(line, "\n")
		if len(content) == len(line) || !Wrapped(content) {
			b.WriteString(line)
			continue
		}
		content = strings.TrimSuffix(content, "\r")
		b.WriteString(content)
		gaps = append(gaps, gap{before: b.Len(), width: len(line) - len(content)})
	}
	return b.String(), gaps
}

// rewrap gives what was found in a flat text its place in the text that has the gaps.
func rewrap(spans []span, gaps []gap) []span {
	moved, at := 0, 0
	shift := func(place int, end bool) int {
		for at < len(gaps) && (gaps[at].before < place || gaps[at].before == place && !end) {
			moved, at = moved+gaps[at].width, at+1
		}
		return place + moved
	}
	for i, s := range spans {
		spans[i].from = shift(s.from, false)
		spans[i].to = shift(s.to, true)
	}
	return spans
}

// union joins two lists of spans, each in order, into one.
func union(a, b []span) []span {
	if len(b) == 0 {
		return a
	}
	var all []span
	for len(a) > 0 || len(b) > 0 {
		next := &a
		if len(a) == 0 || len(b) > 0 && b[0].from < a[0].from {
			next = &b
		}
		s := (*next)[0]
		*next = (*next)[1:]
		if n := len(all); n > 0 && s.from <= all[n-1].to {
			all[n-1].to = max(all[n-1].to, s.to)
			continue
		}
		all = append(all, s)
	}
	return all
}
