package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"
)

// Pruned is what became of a shared object that the manifests no longer hold.
type Pruned struct {
	Ref ObjectRef
	// Kept says why the object is still there; empty when it is gone.
	Kept string
}

func (p Pruned) String() string {
	if p.Kept == "" {
		return p.Ref.String() + " pruned: the manifests no longer hold it"
	}
	return p.Ref.String() + " is no longer in the manifests and stays: " + p.Kept
}

// Dropped are the members that a release's manifests do not hold. What promote did not make, or never saw with a UID, is not
// among them: it is not promote's to prune.
func (s *State) Dropped(held []ObjectRef) []Member {
	var dropped []Member
	for _, m := range s.Shared {
		if m.Made && m.UID != "" && !slices.ContainsFunc(held, m.same) {
			dropped = append(dropped, m)
		}
	}
	return dropped
}

// same compares without UIDs, and without versions of an API.
func (m Member) same(o ObjectRef) bool {
	return m.gvk().GroupKind() == o.gvk().GroupKind() && m.Name == o.Name
}

// Prune deletes members of the service that its manifests no longer hold, by their recorded UIDs, and says which of them stay
// and why: what a live object refers to, a Service with pods behind it, a workload whose pods serve, claims to storage, what
// another tool has taken over. Objects of the releases that are gone, which the garbage collector is about to find, count for
// nothing. It deletes nothing when what refers to an object can't be known.
func (c *Cluster) Prune(ctx context.Context, service string, members []Member, gone []string) ([]Pruned, error) {
	p := pruning{c: c, service: service, gone: gone, lists: map[string]listing{}}
	results := make([]Pruned, 0, len(members))
	for _, m := range members {
		kept, live, err := p.claimed(ctx, m)
		if err != nil {
			return nil, err
		}
		if live != nil {
			p.going = append(p.going, live)
		}
		results = append(results, Pruned{Ref: m.ObjectRef, Kept: kept})
	}
	if err := p.settle(ctx, results); err != nil {
		return nil, err
	}
	var refs []ObjectRef
	for _, r := range results {
		if r.Kept == "" {
			refs = append(refs, r.Ref)
		}
	}
	return results, c.Delete(ctx, refs)
}

// pruning is one run of Prune.
type pruning struct {
	c       *Cluster
	service string
	gone    []string
	// going are the members that are to be deleted, as they are.
	going []*unstructured.Unstructured
	lists map[string]listing
}

// listing is what a list of a kind gave; kept says why it can't be known.
type listing struct {
	items []unstructured.Unstructured
	kept  string
}

// claimed says why a member is not ours to delete, or gives it as it is; nil and nothing when it is gone already.
func (p *pruning) claimed(ctx context.Context, m Member) (kept string, live *unstructured.Unstructured, err error) {
	live, err = p.c.read(ctx, m.ObjectRef)
	switch {
	case IsNotFound(err), errors.Is(err, errNotServed), err == nil && live.GetUID() != m.UID:
		return "", nil, nil
	case err != nil:
		return "", nil, p.c.failed("reading "+m.String(), err)
	case live.GetLabels()[labelPartOf] != setID(p.c.Namespace, p.service) || live.GetLabels()[LabelService] != p.service:
		return "it is no longer labelled as part of this service", nil, nil
	case m.Kind == "PersistentVolumeClaim":
		return "it holds data; delete it by hand when that is not needed any more", nil, nil
	}
	return "", live, nil
}

// settle finds what still needs the members. One that stays may need another, so it looks until nothing changes.
func (p *pruning) settle(ctx context.Context, results []Pruned) error {
	for changed := true; changed; {
		changed = false
		for i := range results {
			at := slices.IndexFunc(p.going, func(o *unstructured.Unstructured) bool { return o.GetUID() == results[i].Ref.UID })
			if at < 0 {
				continue
			}
			kept, err := p.needed(ctx, p.going[at])
			if err != nil {
				return err
			}
			if kept != "" {
				results[i].Kept, changed = kept, true
				p.going = slices.Delete(p.going, at, at+1)
			}
		}
	}
	return nil
}

var (
	podMakers = []string{"v1/Pod", "apps/v1/ReplicaSet", "apps/v1/Deployment", "apps/v1/StatefulSet", "apps/v1/DaemonSet", "batch/v1/Job", "batch/v1/CronJob"}
	// referrers are the kinds that may refer to a kind by name. To an Ingress, an HPA and the like nothing refers.
	referrers = map[schema.GroupKind][]string{
		{Kind: "ConfigMap"}:                                       podMakers,
		{Kind: "ServiceAccount"}:                                  podMakers,
		{Kind: "Secret"}:                                          append(slices.Clone(podMakers), "networking.k8s.io/v1/Ingress", "v1/ServiceAccount"),
		{Kind: "Service"}:                                         {"networking.k8s.io/v1/Ingress", "apps/v1/StatefulSet"},
		{Group: "apps", Kind: "StatefulSet"}:                      {"autoscaling/v2/HorizontalPodAutoscaler"},
		{Group: "apps", Kind: "DaemonSet"}:                        {},
		{Group: "batch", Kind: "Job"}:                             {},
		{Group: "batch", Kind: "CronJob"}:                         {},
		{Group: "rbac.authorization.k8s.io", Kind: "Role"}:        {"rbac.authorization.k8s.io/v1/RoleBinding"},
		{Group: "rbac.authorization.k8s.io", Kind: "RoleBinding"}: {},
		{Group: "networking.k8s.io", Kind: "Ingress"}:             {},
		{Group: "networking.k8s.io", Kind: "NetworkPolicy"}:       {},
		{Group: "policy", Kind: "PodDisruptionBudget"}:            {},
		{Group: "autoscaling", Kind: "HorizontalPodAutoscaler"}:   {},
		{Kind: "LimitRange"}:                                      {},
		{Kind: "ResourceQuota"}:                                   {},
	}
)

// needed says what needs a member, "" when nothing does.
func (p *pruning) needed(ctx context.Context, o *unstructured.Unstructured) (string, error) {
	kind := o.GroupVersionKind().GroupKind()
	from, known := referrers[kind]
	if !known {
		from = append(slices.Clone(podMakers), "networking.k8s.io/v1/Ingress", "autoscaling/v2/HorizontalPodAutoscaler")
	}
	for _, k := range from {
		l, err := p.list(ctx, k)
		if err != nil || l.kept != "" {
			return l.kept, err
		}
		for _, other := range l.items {
			if other.GetUID() != o.GetUID() && p.counts(&other) && mentions(&other, o.GetKind(), o.GetName()) {
				return RefOf(&other).String() + " refers to it", nil
			}
		}
	}
	switch {
	case kind.Kind == "Service" && kind.Group == "":
		selector, _, _ := unstructured.NestedStringMap(o.Object, "spec", "selector")
		return p.behind(ctx, selector)
	case kind.Group == "apps":
		return p.serving(ctx, o)
	case !known:
		return p.owner(ctx, o)
	}
	return "", nil
}

// behind says which live pod a Service selects.
func (p *pruning) behind(ctx context.Context, selector map[string]string) (string, error) {
	l, err := p.list(ctx, "v1/Pod")
	if err != nil || l.kept != "" || len(selector) == 0 {
		return l.kept, err
	}
	for _, pod := range l.items {
		if p.counts(&pod) && carries(pod.GetLabels(), selector) {
			return RefOf(&pod).String() + " is behind it; delete it by hand when no client uses it any more", nil
		}
	}
	return "", nil
}

// serving says which Service selects the pods of a workload.
func (p *pruning) serving(ctx context.Context, o *unstructured.Unstructured) (string, error) {
	l, err := p.list(ctx, "v1/Service")
	if err != nil || l.kept != "" {
		return l.kept, err
	}
	pod, _, _ := unstructured.NestedStringMap(o.Object, "spec", "template", "metadata", "labels")
	for _, s := range l.items {
		selector, _, _ := unstructured.NestedStringMap(s.Object, "spec", "selector")
		if len(selector) > 0 && p.counts(&s) && labels.SelectorFromSet(selector).Matches(labels.Set(pod)) {
			return RefOf(&s).String() + " sends clients to its pods; delete it by hand when no client uses it any more", nil
		}
	}
	return "", nil
}

// owner says which object would go with one of a kind that promote does not know, because that one made it: the Secret of an
// ExternalSecret or of a Certificate. Such things have their maker's name, or are named in it; Secrets can't be listed.
func (p *pruning) owner(ctx context.Context, o *unstructured.Unstructured) (string, error) {
	names := append(namesIn(o.Object["spec"], nil), o.GetName())
	slices.Sort(names)
	names = slices.Compact(names)
	if len(names) > ownerNames {
		return "what it has made is not known; delete it by hand when nothing needs it any more", nil
	}
	for _, kind := range []string{"ConfigMap", "Secret", "Service"} {
		for _, name := range names {
			live, err := p.c.read(ctx, ObjectRef{APIVersion: "v1", Kind: kind, Namespace: p.c.Namespace, Name: name})
			if err == nil && ownedBy(live, o.GetUID()) {
				return RefOf(live).String() + " would go with it; delete it by hand when nothing needs that any more", nil
			}
			if err != nil && !IsNotFound(err) && !apierrors.IsForbidden(err) {
				return "", p.c.failed("looking for what "+RefOf(o).String()+" has made", err)
			}
		}
	}
	return "", nil
}

// ownerNames bounds how many names are looked up.
const ownerNames = 20

// namesIn collects the strings that could be an object's name.
func namesIn(value any, names []string) []string {
	switch v := value.(type) {
	case string:
		if len(validation.IsDNS1123Subdomain(v)) == 0 {
			names = append(names, v)
		}
	case []any:
		for _, item := range v {
			names = namesIn(item, names)
		}
	case map[string]any:
		for _, item := range v {
			names = namesIn(item, names)
		}
	}
	return names
}

func ownedBy(o *unstructured.Unstructured, uid types.UID) bool {
	return slices.ContainsFunc(o.GetOwnerReferences(), func(r metav1.OwnerReference) bool { return r.UID == uid })
}

// counts says that an object is alive: not on its way out, not of a release that is gone, not about to be pruned itself.
func (p *pruning) counts(o *unstructured.Unstructured) bool {
	return o.GetDeletionTimestamp() == nil && !slices.Contains(p.gone, o.GetLabels()[LabelRelease]) &&
		!slices.ContainsFunc(p.going, func(g *unstructured.Unstructured) bool { return g.GetUID() == o.GetUID() })
}

// list lists a kind of the namespace, once.
func (p *pruning) list(ctx context.Context, kind string) (listing, error) {
	if l, ok := p.lists[kind]; ok {
		return l, nil
	}
	at := strings.LastIndexByte(kind, '/')
	gvk := schema.FromAPIVersionAndKind(kind[:at], kind[at+1:])
	r, err := p.c.mapper.resource(ctx, gvk)
	if err != nil {
		return listing{}, err
	}
	var l listing
	list := &unstructured.UnstructuredList{}
	path := r.path(p.c.Namespace, "")
	data, err := answer(p.c.raw.Get().AbsPath(path[:len(path)-1]...).Do(ctx))
	switch {
	case apierrors.IsForbidden(err):
		l.kept = fmt.Sprintf("the account may not list %s, so it is not known whether one refers to it: add `list` to its Role", r.Resource)
	case err != nil:
		return listing{}, p.c.failed("listing the "+r.Resource+" of Namespace/"+p.c.Namespace, err)
	default:
		if err := list.UnmarshalJSON(data); err != nil {
			return listing{}, fmt.Errorf("parsing the %s of Namespace/%s: %w", r.Resource, p.c.Namespace, err)
		}
		l.items = list.Items
	}
	p.lists[kind] = l
	return l, nil
}
