package release

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/org/promote/pkg/cluster"
	"github.com/org/promote/pkg/manifest"
	"github.com/org/promote/pkg/secrets"
)

// Sketch is what a release would be made of, as far as it can be told without asking anybody: placeholders stand for what is looked up.
type Sketch struct {
	// Refs is what has to be looked up, Kinds what is written; both are there as soon as the templates render.
	Refs  []secrets.Ref
	Kinds []schema.GroupVersionKind
	// Whole are the objects that belong to the whole cluster.
	Whole []*unstructured.Unstructured
	// Unknown are fields that Kubernetes does not have, as far as this build knows.
	Unknown error

	request Request
	out     *rendered
}

// SketchOf gives the sketch of a request's release. With an error the sketch has what could be told all the same; it is never nil.
func SketchOf(r Request) (*Sketch, error) {
	s := &Sketch{request: r}
	drawn, err := draw(r)
	if err != nil {
		return s, err
	}
	s.Refs, s.Kinds, s.Unknown = drawn.Refs(), drawn.Kinds(), drawn.Unknown()
	out := &rendered{source: drawn}
	if out.objects, err = drawn.Preview(r.version(drawn.Hash(nil))); err != nil {
		return s, out.located(err)
	}
	s.out, s.Whole = out, out.objects.Cluster
	return s, out.check(r)
}

// Objects are the objects with placeholders; nil where they can't be told.
func (s *Sketch) Objects() *manifest.Objects {
	if s.out == nil {
		return nil
	}
	return s.out.objects
}

// Ways are the shared Services beside which a candidate would have Services of its own that weights can lead to.
func (s *Sketch) Ways() []cluster.Way {
	var ways []cluster.Way
	if s.out == nil || s.request.Own == OwnTested {
		return nil
	}
	for _, o := range s.out.objects.Services {
		if s.request.Own == OwnBalanced && !balanced(o) {
			continue
		}
		ways = append(ways, cluster.Way{Shared: o.GetName(), Own: cluster.ObjectRef{
			APIVersion: "v1", Kind: "Service", Namespace: s.request.Namespace, Name: candidateName(o.GetName()),
		}})
	}
	return ways
}

// Routes says whether routes of a gateway are among the objects.
func (s *Sketch) Routes() bool {
	for _, k := range s.Kinds {
		if k.Kind == "HTTPRoute" {
			return true
		}
	}
	return false
}

// Dropped names the shared objects of earlier releases that the manifests no longer hold, and is a [DroppedError] where they are more
// than the run may delete.
func (s *Sketch) Dropped(state *cluster.State) ([]string, error) {
	if s.out == nil {
		return nil, nil
	}
	c := &Candidate{req: s.request, out: s.out, State: state, Services: joined(&cluster.Release{Services: s.out.services()}, state.Serving)}
	return c.dropped()
}
