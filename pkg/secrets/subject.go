package secrets

import (
	"fmt"
	"strings"
)

// quoteAll names several ids of one kind: secrets "a", "b".
func quoteAll(kind Kind, ids []string) string {
	if len(ids) == 1 {
		return fmt.Sprintf("%s %q", kind, ids[0])
	}
	quoted := make([]string, len(ids))
	for i, id := range ids {
		quoted[i] = fmt.Sprintf("%q", id)
	}
	return string(kind) + "s " + strings.Join(quoted, ", ")
}

// cmpText orders errors by their text, so that one lookup reports its problems in the same order every time.
func cmpText(x, y error) int { return strings.Compare(x.Error(), y.Error()) }
