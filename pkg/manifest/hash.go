package manifest

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"maps"
	"slices"
	"strings"

	"github.com/org/promote/pkg/secrets"
)

const (
	commitLength = 7 // as git abbreviates
	hashLength   = 6
)

// ReleaseID is the name of a release: the first 7 characters of the commit, and the first 6 of the hash of what was rendered.
func ReleaseID(commit, hash string) string {
	cut := func(s string, n int) string { return strings.ToLower(s[:min(n, len(s))]) }
	return cut(commit, commitLength) + "-" + cut(hash, hashLength)
}

// Hash is the SHA-256, in hex, of the rendered objects, with the names and version ids of secrets in the places of their values.
// It depends neither on the order of files and documents nor on their comments and layout, and never on a value, so
// it may be shown: a hash over a short secret would give the secret away to whoever tries them all.
func (r *Rendered) Hash(versions map[secrets.Ref]secrets.Value) string {
	ordered := slices.Clone(r.objects)
	slices.SortStableFunc(ordered, func(a, b object) int {
		key := func(o object) string {
			return o.GroupVersionKind().String() + "/" + o.GetNamespace() + "/" + o.GetName()
		}
		return strings.Compare(key(a), key(b))
	})
	h := hasher{Hash: sha256.New(), ledger: r.ledger, versions: versions}
	for _, o := range ordered {
		h.value(o.Object)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// hasher writes values so that different ones never read the same: each with its type and its length.
type hasher struct {
	hash.Hash
	ledger   *ledger
	versions map[secrets.Ref]secrets.Value
}

func (h hasher) write(kind byte, text string) {
	h.Write([]byte{kind})
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(text))))
	h.Write([]byte(text))
}

func (h hasher) value(value any) {
	switch v := value.(type) {
	case string:
		h.text(v)
	case []any:
		h.write('l', fmt.Sprint(len(v)))
		for _, item := range v {
			h.value(item)
		}
	case map[string]any:
		h.write('m', fmt.Sprint(len(v)))
		for _, key := range slices.Sorted(maps.Keys(v)) {
			h.write('k', key)
			h.value(v[key])
		}
	default:
		h.write('v', fmt.Sprintf("%T %v", v, v))
	}
}

func (h hasher) text(text string) {
	parts, err := h.ledger.split(text)
	if err != nil {
		h.write('s', text) // Render refuses such text.
		return
	}
	h.write('t', fmt.Sprint(len(parts)))
	for _, p := range parts {
		if p.hole == nil {
			h.write('s', p.literal)
			continue
		}
		h.write('c', string(p.hole.with))
		if p.hole.of != "" {
			h.text(p.hole.of)
			continue
		}
		h.write('r', p.hole.ref.String())
		h.write('i', h.versions[p.hole.ref].Version)
	}
}
