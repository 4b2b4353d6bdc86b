package secrets

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Kind says which store a Ref points into.
type Kind string

const (
	// Secret is an entry of AWS Secrets Manager.
	Secret Kind = "secret"
	// Param is a parameter of AWS Systems Manager Parameter Store.
	Param Kind = "param"
)

// Ref names one value in a store.
type Ref struct {
	Kind Kind
	// ID is the secret's name or ARN, or the parameter's name, ARN, or name with a version or label selector.
	ID string
	// Key is a key of the JSON object that the secret holds, or "" for the whole value. Parameters have no keys.
	Key string
}

// idShapes are the characters the two stores allow in names and ARNs. An id ends up in logs, summaries and the cluster's
// state, so nothing that could mean something there may be part of one.
var idShapes = map[Kind]*regexp.Regexp{
	Secret: regexp.MustCompile(`^[A-Za-z0-9/_+=.@:-]+$`),
	Param:  regexp.MustCompile(`^[A-Za-z0-9/_.:-]+$`),
}

// The stores' own limits, in bytes: an ARN has at most 2048, and a key longer than 256 is no key.
const (
	maxID  = 2048
	maxKey = 256
)

// keyShape allows every JSON key but the empty one and those with control characters, which could start a line of their
// own in a log.
var keyShape = regexp.MustCompile(`^[^\p{C}]+$`)

// Check returns an error when r cannot name anything, before a store is asked.
func (r Ref) Check() error {
	shape, ok := idShapes[r.Kind]
	if !ok {
		return fmt.Errorf("%q is not a kind of lookup (secret, param)", string(r.Kind))
	}
	if len(r.ID) > maxID || !shape.MatchString(r.ID) {
		return fmt.Errorf("%q cannot be the name of a %s: 1 to %d letters, digits and %s are allowed",
			shorten(r.ID), r.Kind, maxID, map[Kind]string{Secret: "/_+=.@:-", Param: "/_.:-"}[r.Kind])
	}
	if r.Key == "" {
		return nil
	}
	if r.Kind == Param {
		return fmt.Errorf("parameter %q has no keys, but key %q is asked for", r.ID, r.Key)
	}
	if len(r.Key) > maxKey || !keyShape.MatchString(r.Key) {
		return fmt.Errorf("%q cannot be a key of secret %q: 1 to %d printable bytes are allowed", shorten(r.Key), r.ID, maxKey)
	}
	return nil
}

// String names the value without revealing it: "secret checkout/db#password". Refs that pass Check have distinct strings.
func (r Ref) String() string {
	if r.Key == "" {
		return string(r.Kind) + " " + r.ID
	}
	return string(r.Kind) + " " + r.ID + "#" + r.Key
}

// Compare orders refs by kind, id and key.
func (r Ref) Compare(other Ref) int {
	return cmp.Or(strings.Compare(string(r.Kind), string(other.Kind)), strings.Compare(r.ID, other.ID),
		strings.Compare(r.Key, other.Key))
}

// ids returns the distinct ids of the refs of one kind, sorted, so that one secret with many keys is read once.
func ids(refs []Ref, kind Kind) []string {
	var found []string
	for _, ref := range refs {
		if ref.Kind == kind {
			found = append(found, ref.ID)
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// shorten keeps an error readable when a whole file was passed for a name.
func shorten(s string) string {
	const shown = 64
	if len(s) <= shown {
		return s
	}
	return s[:shown] + "…"
}
