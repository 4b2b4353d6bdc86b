package mask

import (
	"encoding/binary"
	"strings"
)

// span is text[from:to].
type span struct{ from, to int }

// spans finds what must go, in order; spans that touch or overlap are one.
func (s *Set) spans(text string) []span {
	if s == nil || len(text) < shortest {
		return nil
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if len(s.known) == 0 {
		return nil
	}
	found := union(s.search(text), s.edges(text))
	if flat, gaps := unwrap(text); len(gaps) > 0 {
		found = union(found, rewrap(s.search(flat), gaps))
	}
	return found
}

func (s *Set) search(text string) []span {
	var found []span
	add := func(from, to int) {
		// A piece may begin before what was found last, never before what was found before that.
		for len(found) > 0 && from <= found[len(found)-1].to {
			last := found[len(found)-1]
			from, to = min(from, last.from), max(to, last.to)
			found = found[:len(found)-1]
		}
		found = append(found, span{from, to})
	}
	end := 0 // of what is found
	for i := 0; i+shortest <= len(text); i++ {
		if !s.hinted(text[i:]) {
			continue
		}
		if to := s.whole(text, i, end); to > end {
			add(i, to)
			end = to
		}
		if from, to := s.part(text, i, end); to > end {
			add(from, to)
			end = to
		}
	}
	return found
}

// whole gives the end of the longest form at i, if it is behind end; else end.
func (s *Set) whole(text string, i, end int) int {
	for _, form := range s.starts[[shortest]byte([]byte(text[i:i+shortest]))] {
		if i+len(form) <= end {
			break // The longest come first.
		}
		if strings.HasPrefix(text[i:], form) {
			return i + len(form)
		}
	}
	return end
}

// part gives the longest piece of a form around the gram at i, if it ends behind end.
func (s *Set) part(text string, i, end int) (from, to int) {
	if i+gram > len(text) || i+gram <= end {
		return i, end
	}
	from, to = i, end
	for _, spot := range s.grams[[gram]byte([]byte(text[i:i+gram]))] {
		before, after := 0, gram
		for before < i && before < spot.at && text[i-before-1] == spot.form[spot.at-before-1] {
			before++
		}
		for i+after < len(text) && spot.at+after < len(spot.form) && text[i+after] == spot.form[spot.at+after] {
			after++
		}
		if before+after >= piece && i+after > to {
			from, to = i-before, i+after
		}
	}
	return from, to
}

// hint notes that something begins with these four bytes.
func (s *Set) hint(start []byte) {
	at := hash(string(start))
	s.hints[at/64] |= 1 << (at % 64)
}

func (s *Set) hinted(text string) bool {
	at := hash(text)
	return s.hints[at/64]&(1<<(at%64)) != 0
}

// hash mixes the first four bytes of text into a number below the count of hints' bits.
func hash(text string) uint32 {
	first := binary.LittleEndian.Uint32([]byte(text[:shortest]))
	return first * 2654435761 >> (32 - 19) // Knuth's multiplicative hash; 2^19 bits are 64 KiB
}
