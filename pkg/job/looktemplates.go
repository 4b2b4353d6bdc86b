package job

import (
	"context"
	"errors"
	"fmt"

	"github.com/org/promote/pkg/manifest"
	"github.com/org/promote/pkg/preflight"
)

// lookAtTemplates says what is wrong with the manifests, each by its place.
func (p *Preflight) lookAtTemplates(ctx context.Context) []preflight.Finding {
	if p.sketchErr != nil {
		return append(wrongs("manifests", p.sketchErr), p.unknownFields(ctx)...)
	}
	found := []preflight.Finding{{
		Subject: "manifests", State: preflight.Good,
		Told: fmt.Sprintf("%s render, with %s and %s", counted(len(p.sketch.Kinds), "kind of objects", "kinds of objects"),
			counted(len(p.sketch.Objects().Deployments), "Deployment", "Deployments"), counted(len(p.sketch.Objects().Services), "Service", "Services")),
	}}
	return append(found, p.unknownFields(ctx)...)
}

// unknownFields are wrong, unless the cluster is newer than what this build knows and may have them.
func (p *Preflight) unknownFields(ctx context.Context) []preflight.Finding {
	found := wrongs("fields", p.sketch.Unknown)
	if len(found) == 0 {
		return nil
	}
	cl, err := p.cluster()
	if err != nil {
		return found
	}
	minor, err := cl.Minor(ctx)
	if err == nil && minor > manifest.KubernetesMinor {
		for i := range found {
			found[i].State = preflight.Noted
			found[i].Told += fmt.Sprintf("; the cluster's Kubernetes 1.%d is newer than 1.%d, which this build knows, and decides", minor, manifest.KubernetesMinor)
		}
	}
	return found
}

func counted(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, more)
}

var errNotDrawn = errors.New("the manifests do not render, so nobody knows what they need")

// undrawn is the finding of a look that begins with the manifests.
func undrawn(subject string) preflight.Finding {
	return preflight.Finding{Subject: subject, State: preflight.Unknown, Told: errNotDrawn.Error()}
}
