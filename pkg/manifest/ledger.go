package manifest

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/org/promote/pkg/secrets"
)

// Tokens are letters and digits only: YAML, quotes, JSON and indentation leave them as they are, and no scalar that holds one
// reads as a number, a boolean or a date. Their length is fixed, so two that touch are still two.
const (
	tokenPrefix = "promoteplaceholder"
	tokenDigits = 6
	tokenEnd    = "z"
)

// ledger mints the tokens of one render and knows what each stands for.
type ledger struct {
	// marker begins every token. It holds a hash over everything that goes into the render, so no template and no value can
	// contain it: it would have to contain its own hash.
	marker string
	tokens *regexp.Regexp
	holes  []hole
	index  map[hole]int
}

func newLedger(files []File, in Input) (*ledger, error) {
	data, err := json.Marshal(in)
	if err != nil {
		return nil, fmt.Errorf("reading the values: %w", err)
	}
	hash := sha256.New()
	feed := func(part []byte) {
		hash.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
		hash.Write(part)
	}
	feed([]byte("promote placeholder"))
	feed(data)
	for _, file := range files {
		feed([]byte(file.Name))
		feed(file.Data)
	}
	marker := tokenPrefix + hex.EncodeToString(hash.Sum(nil)[:16])
	return &ledger{
		marker: marker,
		tokens: regexp.MustCompile(marker + `[0-9]{` + strconv.Itoa(tokenDigits) + `}` + tokenEnd),
		index:  map[hole]int{},
	}, nil
}

// mint returns the token of a hole, the same one whenever it is asked.
func (l *ledger) mint(h hole) string {
	at, ok := l.index[h]
	if !ok {
		at = len(l.holes)
		l.index[h] = at
		l.holes = append(l.holes, h)
	}
	return fmt.Sprintf("%s%0*d%s", l.marker, tokenDigits, at, tokenEnd)
}

var errDamaged = errors.New("a placeholder was damaged by a template function")

// part is a piece of a text: literal, or a hole.
type part struct {
	literal string
	hole    *hole
}

// split cuts text into literals and holes. It fails on a token that was damaged, which nothing that templates can do leads
// to; if it ever happens, no object may be made from the text.
func (l *ledger) split(text string) ([]part, error) {
	var parts []part
	end := 0
	for _, span := range l.tokens.FindAllStringIndex(text, -1) {
		if span[0] > end {
			parts = append(parts, part{literal: text[end:span[0]]})
		}
		at, err := strconv.Atoi(text[span[0]+len(l.marker) : span[1]-len(tokenEnd)])
		if err != nil || at >= len(l.holes) {
			return nil, errDamaged
		}
		parts = append(parts, part{hole: &l.holes[at]})
		end = span[1]
	}
	if end < len(text) {
		parts = append(parts, part{literal: text[end:]})
	}
	for _, p := range parts {
		if strings.Contains(p.literal, l.marker) {
			return nil, errDamaged
		}
	}
	return parts, nil
}

// holds says whether text has a token.
func (l *ledger) holds(text string) bool { return strings.Contains(text, l.marker) }

// refs returns what text needs to be looked up, holes within holes included.
func (l *ledger) refs(text string) []secrets.Ref {
	parts, err := l.split(text)
	if err != nil {
		return nil // Render reported it.
	}
	var refs []secrets.Ref
	for _, p := range parts {
		switch {
		case p.hole == nil:
		case p.hole.of != "":
			refs = append(refs, l.refs(p.hole.of)...)
		default:
			refs = append(refs, p.hole.ref)
		}
	}
	return refs
}

// describe replaces tokens by what they stand for, such as "(secret checkout/db#password)", for people to read.
func (l *ledger) describe(text string) string {
	return l.tokens.ReplaceAllStringFunc(text, func(token string) string {
		var names []string
		for _, ref := range l.refs(token) {
			names = append(names, ref.String())
		}
		slices.Sort(names)
		return "(" + strings.Join(slices.Compact(names), ", ") + ")"
	})
}
