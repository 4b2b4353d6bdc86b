// Package mask takes secret values out of text.
//
// A [Set] is filled when secrets become known, and everything that emits text is given it: log, errors, summary, outputs,
// statuses, board, evidence, state, diffs. It knows each value in every form in which programs write text down (see encodings.go):
// whole, by line, by JSON leaf, and each of those in base64, hex, URL escapes, and the escapes of JSON, Go, YAML, shells, HTML
// and Markdown; base64 also when it was broken into lines. Of long forms it also finds pieces of 32 bytes and more: Kubernetes
// cuts termination messages and events, YAML folds lines. Where a text says by … or ... that it was cut, four bytes are enough.
//
// It refuses what would ruin a text and hide nothing: values shorter than four bytes, and the words true, false and null.
// [Set.Add] says when a value has such a part, so that its name can be told.
//
//	var secrets mask.Set
//	secrets.Add(password)
//	log.Print(secrets.Text(err.Error()))
package mask

import (
	"cmp"
	"slices"
	"strings"
	"sync"
)

// Hidden stands in the place of every secret, as it does in the runner's own log.
const Hidden = "***"

const (
	// shortest is the shortest form, in bytes, that is masked: masking "{" or "e" ruins every log (actions/runner#326).
	shortest = 4
	// piece is how many bytes in a row of a longer form are a secret by themselves, gram how many of them are looked up, and
	// alike how many places with the same gram are remembered.
	piece, gram, alike = 32, 16, 8
)

// Set is the secrets of one run. Its methods may be called from several goroutines; a nil Set hides nothing.
type Set struct {
	mu    sync.RWMutex
	known map[string]bool
	// starts holds the forms by their first bytes, the longest first.
	starts map[[shortest]byte][]string
	// grams says where in which long form a gram stands. Every sixteenth is enough: any 32 bytes in a row hold a whole one.
	grams map[[gram]byte][]spot
	// hints has a bit set for the hash of every key of starts and grams: most of a text is no part of any secret.
	hints [1 << 13]uint64
	most  int
}

// spot is a place in a form.
type spot struct {
	form string
	at   int
}

// Add makes value a secret. It is not whole when the value, or a text in the JSON that it holds, is too short to be masked.
func (s *Set) Add(value []byte) (whole bool) {
	forms := Forms(value)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known == nil {
		s.known, s.starts, s.grams = map[string]bool{}, map[[shortest]byte][]string{}, map[[gram]byte][]spot{}
	}
	for _, form := range forms {
		if !s.known[form] {
			s.known[form] = true
			s.index(form)
		}
	}
	return !bare(value)
}

func (s *Set) index(form string) {
	s.most = max(s.most, len(form))
	start := [shortest]byte([]byte(form[:shortest]))
	at, _ := slices.BinarySearchFunc(s.starts[start], form, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	s.starts[start] = slices.Insert(s.starts[start], at, form)
	s.hint(start[:])
	if len(form) <= piece {
		return
	}
	for at := 0; at+gram <= len(form); at += gram {
		key := [gram]byte([]byte(form[at : at+gram]))
		if len(s.grams[key]) < alike {
			s.grams[key] = append(s.grams[key], spot{form, at})
			s.hint(key[:shortest])
		}
	}
}

// Longest is the length of the longest form, in bytes.
func (s *Set) Longest() int {
	if s == nil {
		return 0
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.most
}

// Text replaces every secret in text. Where secrets overlap, all that any of them covers goes.
func (s *Set) Text(text string) string {
	spans := s.spans(text)
	if len(spans) == 0 {
		return text
	}
	var b strings.Builder
	end := 0
	for _, span := range spans {
		b.WriteString(text[end:span.from])
		b.WriteString(Hidden)
		end = span.to
	}
	b.WriteString(text[end:])
	return b.String()
}

// Holds says whether a secret stands in text.
func (s *Set) Holds(text string) bool { return len(s.spans(text)) > 0 }

// Cut gives the largest length up to most at which text may be cut without cutting a secret in two.
func (s *Set) Cut(text string, most int) int {
	for _, span := range s.spans(text) {
		if span.from < most && most < span.to {
			return span.from
		}
	}
	return most
}
