package gate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/org/promote/pkg/evidence"
)

// OpenKey opens the key that an action's input `evidence-key` names; "" is the unsigned mode, a nil key. A gate writes
// statements, so a public half alone is refused. mask is called with a key that is in the input itself.
func OpenKey(ctx context.Context, text, region string, mask func(string) (whole bool)) (*evidence.Key, error) {
	if text == "" {
		return nil, nil
	}
	if strings.Contains(text, "-----BEGIN") {
		mask(text)
	}
	key, err := evidence.OpenKey(ctx, text, evidence.KeyOptions{Region: region})
	switch {
	case err != nil:
		return nil, fmt.Errorf("opening the key (input `evidence-key`): %w", err)
	case !key.CanSign():
		return nil, errors.New("opening the key (input `evidence-key`): it is the public half, which can only verify; a gate signs what it has seen")
	}
	return key, nil
}

// CheckNames refuses names of gates that there are not.
func CheckNames(names []string) error {
	for _, name := range names {
		if !slices.Contains(evidence.Gates(), name) {
			return fmt.Errorf("has %q, which is no gate; the gates are %s", name, strings.Join(evidence.Gates(), ", "))
		}
	}
	return nil
}
