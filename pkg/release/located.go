package release

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/org/promote/pkg/cluster"
	"github.com/org/promote/pkg/manifest"
)

// located puts the place in the templates before each error about an object, "deploy/app.yaml:12: …": the API server knows
// objects and fields, and a person mends lines.
func (r *rendered) located(err error) error {
	if err == nil || r.source == nil {
		return err
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []error
		for _, each := range joined.Unwrap() {
			all = append(all, r.located(each))
		}
		return errors.Join(all...)
	}
	kind, name, ok := about(err)
	if !ok {
		return err
	}
	place := r.source.Locate(kind, name, r.id, err)
	if place == "" {
		return err
	}
	return fmt.Errorf("%s: %w", place, err)
}

// about names the object that an error is about.
func about(err error) (kind, name string, ok bool) {
	var object *cluster.ObjectError
	if errors.As(err, &object) {
		return object.Ref.Kind, object.Ref.Name, true
	}
	var conflict *cluster.ConflictError
	if errors.As(err, &conflict) {
		if parts := strings.Split(conflict.Subject, "/"); len(parts) == 3 {
			return parts[0], parts[2], true
		}
	}
	if found := subjectShape.FindStringSubmatch(err.Error()); found != nil {
		return found[1], found[2], true
	}
	return "", "", false
}

// subjectShape begins what package manifest says of an object: "Deployment/test/web: …".
var subjectShape = regexp.MustCompile(`^([A-Z]\w*)/(?:[\w.-]+/)?([\w.-]+): `)

// knows refuses fields that Kubernetes does not have. A cluster that is newer than what this build knows may have them, so there
// the API server's strict validation decides; only then is its version asked for.
func knows(ctx context.Context, d Deps, out *manifest.Rendered) error {
	unknown := out.Unknown()
	if unknown == nil {
		return nil
	}
	if minor, err := d.Cluster.Minor(ctx); err == nil && minor > manifest.KubernetesMinor {
		d.Log.Warningf("the cluster's Kubernetes 1.%d is newer than 1.%d, which this build knows; the cluster decides: %v", minor, manifest.KubernetesMinor, unknown)
		return nil
	}
	return unknown
}

// Preview renders a release for people to read, without a network: "<secret checkout/db password>" stands where a value goes.
// Its id differs from the real one, which depends on the versions of the values.
func Preview(r Request) (*manifest.Objects, error) {
	out, err := draw(r)
	if err != nil {
		return nil, err
	}
	if err := out.Unknown(); err != nil {
		return nil, err
	}
	res := &rendered{source: out}
	if res.objects, err = out.Preview(r.version(out.Hash(nil))); err != nil {
		return nil, res.located(err)
	}
	return res.objects, res.check(r)
}
