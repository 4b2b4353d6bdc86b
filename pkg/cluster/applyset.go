package cluster

import (
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// The labels and annotations of KEP-3659, by which other tools know that a set of objects is not theirs to prune. The parent
// of the set is the service's state.
const (
	labelPartOf          = "applyset.kubernetes.io/part-of"
	labelSetID           = "applyset.kubernetes.io/id"
	annotationTooling    = "applyset.kubernetes.io/tooling"
	annotationGroupKinds = "applyset.kubernetes.io/contains-group-kinds"
)

// tooling is the form of the set, <tool>/<semver>: the version grows when another promote could not read it.
const tooling = "promote/v1.0.0"

// setID is the id of the set whose parent is a service's state: a hash of "<name>.<namespace>.<kind>.<group>", where the
// group of a ConfigMap is empty.
func setID(namespace, service string) string {
	hash := sha256.Sum256([]byte(strings.Join([]string{stateName(service), namespace, "ConfigMap", ""}, ".")))
	return "applyset-" + base64.RawURLEncoding.EncodeToString(hash[:]) + "-v1"
}

// parent marks the state's ConfigMap as the set's parent. The group kinds are written with the intent, so they are never
// fewer than what exists.
func (c *Cluster) parent(object *corev1.ConfigMap, s *State) {
	kinds := []string{}
	for _, ref := range s.inventory() {
		kinds = append(kinds, ref.gvk().GroupKind().String())
	}
	slices.Sort(kinds)
	if object.Labels == nil {
		object.Labels = map[string]string{}
	}
	if object.Annotations == nil {
		object.Annotations = map[string]string{}
	}
	object.Labels[LabelService] = s.Service
	object.Labels[labelSetID] = setID(c.Namespace, s.Service)
	object.Annotations[annotationTooling] = tooling
	object.Annotations[annotationGroupKinds] = strings.Join(slices.Compact(kinds), ",")
}

// member labels an object of a service as part of its set.
func (c *Cluster) member(o *unstructured.Unstructured) {
	service := o.GetLabels()[LabelService]
	if service == "" {
		return
	}
	labels := o.GetLabels()
	labels[labelPartOf] = setID(c.Namespace, service)
	o.SetLabels(labels)
}

// managerOf is the field manager of a service. Each has its own: of two services with a shared object of the same name, the
// second is told of a conflict, and does not overwrite the first's.
func managerOf(service string) string {
	if service == "" {
		return FieldManager
	}
	return FieldManager + "-" + service
}

// manager is the field manager of writes that are not applies: that of the service whose lock is held.
func (c *Cluster) manager() string {
	if l := c.lock.Load(); l != nil {
		return managerOf(l.service)
	}
	return FieldManager
}

// Member is a shared object of a service.
type Member struct {
	ObjectRef
	// Made says that promote created it; what was there before is never pruned.
	Made bool `json:"made,omitempty"`
}
