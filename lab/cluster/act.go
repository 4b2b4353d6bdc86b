package cluster

import (
	"context"
	"fmt"
)

// Act gives the path of the workflow runner, which is built the first time and cached: a cluster of the user's own needs no
// more of the lab.
func (l *Lab) Act(ctx context.Context) (string, error) {
	for _, b := range builds {
		if b.name == "act" {
			return l.build(ctx, b)
		}
	}
	return "", fmt.Errorf("building act: the lab does not know how")
}
