package release

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/org/promote/pkg/cluster"
	"github.com/org/promote/pkg/manifest"
	"github.com/org/promote/pkg/secrets"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// rendered is a release as objects, before anything was sent to the cluster.
type rendered struct {
	id       string
	hash     string
	versions map[string]string
	objects  *manifest.Objects
	// source knows where in the templates each object comes from.
	source *manifest.Rendered
	// filled are the places that diffs must not show.
	filled []cluster.Filled
}

// draw turns templates into objects with placeholders.
func draw(r Request) (*manifest.Rendered, error) {
	repository, digest, ok := strings.Cut(r.Image, "@")
	if !ok {
		return nil, fmt.Errorf("reading image %q: it has no digest; a release is always repository@sha256:…", r.Image)
	}
	return manifest.Render(r.Files, manifest.Input{
		Service: r.Service, Environment: r.Environment, Namespace: r.Namespace,
		Image: r.Image, Digest: digest, Commit: r.Change.Head,
		Repository: repository, PullRequest: r.Change.PullRequest, Values: r.Values,
	})
}

// version asks for the objects of the release that a hash names.
func (r Request) version(hash string) manifest.VersionRequest {
	_, digest, _ := strings.Cut(r.Image, "@")
	return manifest.VersionRequest{
		Service: r.Service, Environment: r.Environment, Namespace: r.Namespace,
		Release: manifest.ReleaseID(r.Change.Head, hash), Commit: r.Change.Head, Digest: digest, Run: r.Run,
	}
}

// render turns templates into the versioned objects of one release. Secret values are masked the moment they arrive.
func render(ctx context.Context, d Deps, r Request) (*rendered, error) {
	out, err := draw(r)
	if err != nil {
		return nil, err
	}
	if err := knows(ctx, d, out); err != nil {
		return nil, err
	}
	refs := out.Refs()
	values := map[secrets.Ref]secrets.Value{}
	if len(refs) > 0 {
		if values, err = look(ctx, d.Secrets, refs, r.Versions); err != nil {
			return nil, err
		}
	}
	versions := map[string]string{}
	for ref, v := range values {
		versions[ref.String()] = v.Version
	}
	mask(d, values)
	objs, err := out.Fill(values)
	if err != nil {
		return nil, err
	}
	req := r.version(out.Hash(values))
	res := &rendered{id: req.Release, hash: out.Hash(values), versions: versions, source: out, filled: filled(out.Places(), req.Release)}
	if res.objects, err = manifest.Version(objs, req); err != nil {
		return nil, res.located(err)
	}
	return res, res.check(r)
}

// look reads the secrets: the current ones, or those of a record.
func look(ctx context.Context, from secrets.Resolver, refs []secrets.Ref, record map[string]string) (map[secrets.Ref]secrets.Value, error) {
	if record == nil {
		return from.Resolve(ctx, refs)
	}
	versions, err := secrets.Recorded(refs, record)
	if err != nil {
		return nil, err
	}
	return from.ResolveAt(ctx, versions)
}

// mask keeps the values out of everything that is emitted from now on, and names those that cannot be kept out: what is shorter
// than four bytes stands in every text. A parameter that short is a setting, such as a number of replicas.
func mask(d Deps, values map[secrets.Ref]secrets.Value) {
	var bare []string
	for ref, v := range values {
		if !d.Mask(string(v.Data)) && ref.Kind == secrets.Secret {
			bare = append(bare, ref.String())
		}
	}
	if len(bare) > 0 {
		slices.Sort(bare)
		d.Log.Warningf("%s: the value, or a text in its JSON, is too short to be masked: nothing but diffs hides it; make it longer", strings.Join(bare, ", "))
	}
}

// filled names the places in the objects as they are applied: under their own names, with the release's id, and in the Service
// through which a candidate is tested.
func filled(places []manifest.Place, id string) []cluster.Filled {
	var found []cluster.Filled
	for _, p := range places {
		for _, name := range []string{p.Name, p.Name + "-" + id, candidateName(p.Name)} {
			found = append(found, cluster.Filled{Kind: p.Kind, Name: name, Path: p.Path, Shown: p.Shown})
		}
	}
	return found
}

// check refuses what could not be switched or proven, every problem at once.
func (r *rendered) check(req Request) error {
	var problems []error
	if len(r.objects.Deployments) == 0 {
		problems = append(problems, fmt.Errorf("the manifests of service %q hold no Deployment; promote versions Deployments", req.Service))
	}
	if len(r.objects.Services) == 0 {
		problems = append(problems, fmt.Errorf("the manifests of service %q hold no Service that selects its Deployment's pods; traffic is moved by a Service's selector", req.Service))
	}
	for _, o := range r.objects.Shared {
		if req.Stepwise && inPlace[o.GetKind()] {
			problems = append(problems, fmt.Errorf("%s/%s/%s is applied in place, for all clients at once, and cannot be taken back step by step: "+
				"bring it out with the deploy action, from a service of its own", o.GetKind(), req.Namespace, o.GetName()))
		}
	}
	return errors.Join(problems...)
}

// inPlace are the workloads that are not versioned: what they keep, where they run or when they run is bound to their name.
var inPlace = map[string]bool{"StatefulSet": true, "DaemonSet": true, "Job": true, "CronJob": true}

// kinds lists every kind the release writes, once each.
func (r *rendered) kinds() []schema.GroupVersionKind {
	seen := map[schema.GroupVersionKind]bool{}
	var kinds []schema.GroupVersionKind
	for _, list := range [][]*unstructured.Unstructured{r.objects.Cluster, r.objects.Versioned, r.objects.Shared, r.objects.Services} {
		for _, o := range list {
			if k := o.GroupVersionKind(); !seen[k] {
				seen[k] = true
				kinds = append(kinds, k)
			}
		}
	}
	return kinds
}
