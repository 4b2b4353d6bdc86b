package release

import (
	"slices"
	"strings"
	"time"

	"github.com/org/promote/pkg/cluster"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
)

// candidateName names the Service through which a candidate is tested before any client reaches it.
func candidateName(service string) string { return service + "-candidate" }

// release is the record of what is being brought up.
func (r *rendered) release(req Request) cluster.Release {
	return cluster.Release{
		ID: r.id, Image: req.Image, Digest: digestOf(req.Image), Commit: req.Change.Head, Tree: req.Change.Tree, Merge: req.Change.Merge,
		Hash: r.hash, Run: req.Run, Secrets: r.versions, Deployments: r.objects.Deployments, Services: r.services(), Time: time.Now().UTC(),
	}
}

// late kinds steer traffic or evictions of what serves, so they change only when the candidate does.
var late = map[string]bool{"Ingress": true, "PodDisruptionBudget": true, "HTTPRoute": true, "GRPCRoute": true}

// early lists the shared objects that the candidate's pods may need before they can start.
func (c *Candidate) early() []*unstructured.Unstructured { return c.shared(false) }

func (c *Candidate) shared(wantLate bool) []*unstructured.Unstructured {
	var objs []*unstructured.Unstructured
	for _, o := range c.out.objects.Shared {
		if late[o.GetKind()] == wantLate {
			objs = append(objs, o)
		}
	}
	return objs
}

// own lists what belongs to this release alone: the versioned objects and the Services through which it is tested.
func (c *Candidate) own() []*unstructured.Unstructured {
	objs := append([]*unstructured.Unstructured{}, c.out.objects.Versioned...)
	for _, s := range c.out.objects.Services {
		objs = append(objs, candidateService(s, c.Services, c.Release.ID, c.req.Own))
	}
	return objs
}

// all lists every object of the release, for the dry run.
func (c *Candidate) all() []*unstructured.Unstructured {
	objs := append([]*unstructured.Unstructured{}, c.out.objects.Cluster...)
	return append(append(append(objs, c.own()...), c.out.objects.Shared...), c.sharedServices(c.Release.ID)...)
}

// candidateService is a Service like the shared one that selects this release alone. It is reachable inside the cluster only, unless
// it is to be a load balancer as the shared one is.
func candidateService(shared *unstructured.Unstructured, services []cluster.SharedService, release string, own Own) *unstructured.Unstructured {
	s := shared.DeepCopy()
	s.SetName(candidateName(shared.GetName()))
	labels := s.GetLabels()
	if labels == nil {
		labels = map[string]string{}
	}
	labels[cluster.LabelRelease] = release
	s.SetLabels(labels)
	s.SetAnnotations(nil)
	ports, _, _ := unstructured.NestedSlice(s.Object, "spec", "ports")
	for i := range ports {
		if p, ok := ports[i].(map[string]any); ok {
			delete(p, "nodePort")
		}
	}
	selector := with(userSelector(services, shared.GetName()), cluster.LabelRelease, release)
	if own != OwnTested {
		// A pod that is about to be stopped leaves it first, as it leaves a shared one.
		selector = with(selector, cluster.LabelServe, "true")
	}
	spec := map[string]any{"type": "ClusterIP", "ports": ports, "publishNotReadyAddresses": false, "selector": toAny(selector)}
	if own == OwnBalanced && balanced(shared) {
		likeShared(s, spec, shared)
	}
	s.Object["spec"] = spec
	return s
}

func balanced(service *unstructured.Unstructured) bool {
	kind, _, _ := unstructured.NestedString(service.Object, "spec", "type")
	return kind == "LoadBalancer"
}

// likeShared makes a Service a load balancer of the same kind as the shared one. What only one load balancer can have, its name, its
// addresses and its entries in the DNS, it does not take over.
func likeShared(s *unstructured.Unstructured, spec map[string]any, shared *unstructured.Unstructured) {
	annotations := map[string]string{}
	for key, value := range shared.GetAnnotations() {
		if !unique(key) {
			annotations[key] = value
		}
	}
	s.SetAnnotations(annotations)
	spec["type"] = "LoadBalancer"
	for _, field := range []string{"loadBalancerClass", "loadBalancerSourceRanges", "externalTrafficPolicy", "allocateLoadBalancerNodePorts", "ipFamilies", "ipFamilyPolicy"} {
		if value, found, _ := unstructured.NestedFieldCopy(shared.Object, "spec", field); found {
			spec[field] = value
		}
	}
}

// unique says that an annotation names what only one load balancer can have.
func unique(annotation string) bool {
	return strings.HasPrefix(annotation, "external-dns.alpha.kubernetes.io/") || slices.Contains([]string{
		"service.beta.kubernetes.io/aws-load-balancer-name", "service.beta.kubernetes.io/aws-load-balancer-eip-allocations",
		"service.beta.kubernetes.io/aws-load-balancer-private-ipv4-addresses", "service.beta.kubernetes.io/aws-load-balancer-ipv6-addresses",
	}, annotation)
}

// sharedServices are the Services that clients use, selecting one release alone.
func (c *Candidate) sharedServices(release string) []*unstructured.Unstructured {
	var objs []*unstructured.Unstructured
	for _, s := range c.out.objects.Services {
		o := s.DeepCopy()
		_ = unstructured.SetNestedMap(o.Object, toAny(c.only(s.GetName(), release)), "spec", "selector")
		objs = append(objs, o)
	}
	return objs
}

// only is the selector of a shared Service while one release serves.
func (c *Candidate) only(service, release string) map[string]string {
	return with(with(userSelector(c.Services, service), cluster.LabelServe, "true"), cluster.LabelRelease, release)
}

func userSelector(services []cluster.SharedService, name string) map[string]string {
	for _, s := range services {
		if s.Name == name {
			return s.Selector
		}
	}
	return nil
}

// services are the shared Services of the manifests.
func (r *rendered) services() []cluster.SharedService {
	var all []cluster.SharedService
	for _, s := range r.objects.Services {
		all = append(all, cluster.SharedService{Name: s.GetName(), Selector: r.objects.UserSelector[s.GetName()]})
	}
	return all
}

func with(selector map[string]string, key, value string) map[string]string {
	out := map[string]string{key: value}
	for k, v := range selector {
		if k != key {
			out[k] = v
		}
	}
	return out
}

func toAny(m map[string]string) map[string]any {
	out := make(map[string]any, len(m))
	for k, v := range m {
		out[k] = v
	}
	return out
}

// intended is the inventory before anything exists: names without UIDs, so that a run that is killed while it applies
// still leaves word of what it may have made.
func intended(objs []*unstructured.Unstructured) []cluster.ObjectRef {
	refs := make([]cluster.ObjectRef, 0, len(objs))
	for _, o := range objs {
		refs = append(refs, cluster.ObjectRef{APIVersion: o.GetAPIVersion(), Kind: o.GetKind(), Namespace: o.GetNamespace(), Name: o.GetName()})
	}
	return refs
}

// record fills the UIDs of what was applied into the inventory.
func (c *Candidate) record(applied []cluster.Applied) {
	for _, a := range applied {
		for i, ref := range c.Release.Inventory {
			if ref.APIVersion == a.Ref.APIVersion && ref.Kind == a.Ref.Kind && ref.Name == a.Ref.Name {
				c.Release.Inventory[i] = a.Ref
			}
		}
	}
}

// selectedBy says whether a selector finds the pods of one of the Deployments.
func (r *rendered) selectedBy(selector map[string]string) bool {
	for _, o := range r.objects.Versioned {
		if o.GetKind() != "Deployment" {
			continue
		}
		pod, _, _ := unstructured.NestedStringMap(o.Object, "spec", "template", "metadata", "labels")
		if labels.SelectorFromSet(selector).Matches(labels.Set(pod)) {
			return true
		}
	}
	return false
}
