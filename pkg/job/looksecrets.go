package job

import (
	"context"
	"fmt"

	"github.com/org/promote/pkg/preflight"
	"github.com/org/promote/pkg/secrets"
)

// lookAtSecrets says of each value that the manifests look up whether it is there and may be read; no value is kept.
func (p *Preflight) lookAtSecrets(ctx context.Context) []preflight.Finding {
	switch {
	case len(p.sketch.Kinds) == 0 && p.sketchErr != nil:
		return []preflight.Finding{undrawn("values")}
	case len(p.sketch.Refs) == 0:
		return nil
	}
	store, err := secrets.NewAWS(ctx, p.in.AWSRegion)
	if err != nil {
		return []preflight.Finding{{Subject: "values", State: preflight.Unknown, Told: err.Error()}}
	}
	var found []preflight.Finding
	for _, l := range store.Look(ctx, p.sketch.Refs) {
		found = append(found, ofRef(l))
	}
	return found
}

func ofRef(l secrets.Looked) preflight.Finding {
	if l.Err != nil {
		return preflight.Finding{Subject: l.Ref.String(), State: preflight.Wrong, Told: l.Err.Error(), Fix: l.Fix}
	}
	return preflight.Finding{Subject: l.Ref.String(), State: preflight.Good, Told: fmt.Sprintf("it can be read, version %s", l.Version)}
}
