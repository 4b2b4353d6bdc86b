package manifest

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// VersionRequest says which release the objects become.
type VersionRequest struct {
	Service, Environment, Namespace string
	// Release is the id that ends versioned names; see ReleaseID.
	Release string
	// Commit, Digest and Run are noted in annotations. With a digest, some container must run exactly it.
	Commit, Digest, Run string
	// Replicas, when set, is the size of the Deployments that Services select, whatever the manifest says.
	Replicas *int32
	// preview is the ledger of placeholders that are still in the objects.
	preview *ledger
}

// Objects are the objects of one release.
type Objects struct {
	// Versioned exist once per release, under names of their own: Deployments, their ConfigMaps and Secrets (immutable) and
	// their HorizontalPodAutoscalers. What others refer to comes first.
	Versioned []*unstructured.Unstructured
	// Shared exist once, and every release applies them in place.
	Shared []*unstructured.Unstructured
	// Cluster are the objects that belong to the whole cluster, such as definitions and namespaces. They have no namespace, are
	// applied first, and are never removed.
	Cluster []*unstructured.Unstructured
	// Deployments are the versioned Deployments' names.
	Deployments []string
	// Services select pods of the Deployments. They carry the user's selector and are not in Shared: the selector is what
	// moves traffic, so whoever applies them decides on it.
	Services []*unstructured.Unstructured
	// UserSelector is the selector of each of Services, as the user wrote it, by name.
	UserSelector map[string]map[string]string
}

// Version gives the objects of a release names and labels of their own and sorts them by how they are applied. It leaves its
// arguments as they are. The error names every object that cannot be part of a release, with the reason.
func Version(objs []*unstructured.Unstructured, req VersionRequest) (*Objects, error) {
	if err := req.check(); err != nil {
		return nil, err
	}
	all := make([]*unstructured.Unstructured, len(objs))
	for i, o := range objs {
		all[i] = o.DeepCopy()
	}
	var problems []error
	for _, o := range all {
		problems = append(problems, admit(o, req.Namespace)...)
	}
	problems = append(problems, images(all, req)...)
	var whole []*unstructured.Unstructured
	all = slices.DeleteFunc(all, func(o *unstructured.Unstructured) bool {
		if !clusterScoped(o, objs) {
			o.SetNamespace(req.Namespace)
			return false
		}
		// The label says whose apply it is; the cluster does not get to see it.
		label(o, map[string]string{labelService: req.Service})
		whole = append(whole, o)
		return true
	})
	problems = append(problems, danglers(all)...)
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	versioned, shared, err := rename(all, "-"+req.Release)
	if err != nil {
		return nil, err
	}
	out := &Objects{Cluster: whole, UserSelector: map[string]map[string]string{}}
	for _, o := range versioned {
		stamp(o, req)
		if isKind(o, deployment) {
			out.Deployments = append(out.Deployments, o.GetName())
		}
	}
	for _, o := range shared {
		label(o, serviceLabels(req))
		if selector := selects(o, versioned); selector != nil {
			out.Services = append(out.Services, o)
			out.UserSelector[o.GetName()] = selector
			continue
		}
		out.Shared = append(out.Shared, o)
	}
	for _, o := range slices.Concat(versioned, shared) {
		if req.preview == nil { // Encoded, nobody could read what goes where.
			dataOnly(o)
		}
	}
	size(versioned, out.Services, req.Replicas)
	slices.SortStableFunc(versioned, func(a, b *unstructured.Unstructured) int { return rank(a) - rank(b) })
	out.Versioned = versioned
	return out, nil
}

var (
	deployment = schema.GroupKind{Group: "apps", Kind: "Deployment"}
	configMap  = schema.GroupKind{Kind: "ConfigMap"}
	secretKind = schema.GroupKind{Kind: "Secret"}
	service    = schema.GroupKind{Kind: "Service"}
	autoscaler = schema.GroupKind{Group: "autoscaling", Kind: "HorizontalPodAutoscaler"}
)

func isKind(o *unstructured.Unstructured, kinds ...schema.GroupKind) bool {
	return slices.Contains(kinds, o.GroupVersionKind().GroupKind())
}

// rank orders versioned objects so that none refers to one behind it.
func rank(o *unstructured.Unstructured) int {
	switch {
	case isKind(o, configMap, secretKind):
		return 0
	case isKind(o, deployment):
		return 1
	}
	return 2
}

// dataOnly moves a Secret's stringData into data, as the API server would: it never returns stringData, so a server-side apply
// could not see who owns it, and a diff would always show it.
func dataOnly(o *unstructured.Unstructured) {
	plain, found, _ := unstructured.NestedStringMap(o.Object, "stringData")
	if !found || !isKind(o, secretKind) {
		return
	}
	data, ok := o.Object["data"].(map[string]any)
	if !ok {
		data = map[string]any{}
	}
	for key, text := range plain {
		data[key] = base64.StdEncoding.EncodeToString([]byte(text))
	}
	o.Object["data"] = data
	delete(o.Object, "stringData")
}

// size sets or removes the replicas of the Deployments. While an HPA owns them they are only written on request: every apply
// would undo what the HPA did (kubernetes#67135).
func size(versioned, services []*unstructured.Unstructured, replicas *int32) {
	for _, o := range versioned {
		if !isKind(o, deployment) {
			continue
		}
		served := len(services) == 0 || slices.ContainsFunc(services, func(s *unstructured.Unstructured) bool {
			return selects(s, []*unstructured.Unstructured{o}) != nil
		})
		spec := o.Object["spec"].(map[string]any)
		switch {
		case replicas != nil && served:
			spec["replicas"] = int64(*replicas)
		case slices.ContainsFunc(versioned, func(h *unstructured.Unstructured) bool { return scaled(h) == o.GetName() }):
			delete(spec, "replicas")
		}
	}
}

// scaled returns the name of the Deployment that o scales, or "" when o is no HPA or scales something else.
func scaled(o *unstructured.Unstructured) string {
	if !isKind(o, autoscaler) {
		return ""
	}
	kind, _, _ := unstructured.NestedString(o.Object, "spec", "scaleTargetRef", "kind")
	if kind != deployment.Kind {
		return ""
	}
	target, _, _ := unstructured.NestedString(o.Object, "spec", "scaleTargetRef", "name")
	return target
}

func (req VersionRequest) check() error {
	var problems []error
	for _, field := range []struct{ name, value string }{
		{"service", req.Service}, {"environment", req.Environment}, {"namespace", req.Namespace}, {"release", req.Release},
	} {
		if !labelValue.MatchString(field.value) {
			problems = append(problems, fmt.Errorf("versioning the objects: %q cannot be the %s: it must be 1 to 63 of a-z, 0-9 and -, "+
				"beginning and ending with a letter or digit", field.value, field.name))
		}
	}
	return errors.Join(problems...)
}
