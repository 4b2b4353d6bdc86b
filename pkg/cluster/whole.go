package cluster

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// What belongs to the whole cluster (definitions, namespaces, classes) may stand in the manifests when the account may apply it.
// It comes first and is waited for; it carries no label of a service or an environment, because others may have the same in
// theirs; and it is never deleted.

// establishTime bounds the wait for definitions and namespaces; both take a second.
const establishTime = time.Minute

// definition is what a CustomResourceDefinition defines.
type definition struct {
	kind     schema.GroupKind
	resource string
	cluster  bool
}

func definitionOf(o *unstructured.Unstructured) (definition, bool) {
	if o.GroupVersionKind().GroupKind() != (schema.GroupKind{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"}) {
		return definition{}, false
	}
	at := func(path ...string) string {
		text, _, _ := unstructured.NestedString(o.Object, append([]string{"spec"}, path...)...)
		return text
	}
	return definition{schema.GroupKind{Group: at("group"), Kind: at("names", "kind")}, at("names", "plural"), at("scope") == "Cluster"}, true
}

// discover asks how each kind is reached, so that it is known what belongs to the whole cluster. What can't be found is told by
// the request that needs it.
func (c *Cluster) discover(ctx context.Context, objs []*unstructured.Unstructured) {
	asked, kinds := map[schema.GroupVersion]bool{}, []schema.GroupVersionKind(nil)
	for _, o := range objs {
		gvk := o.GroupVersionKind()
		if _, is := known[gvk]; !is && !asked[gvk.GroupVersion()] {
			asked[gvk.GroupVersion()] = true
			kinds = append(kinds, gvk)
		}
	}
	_ = each(ctx, kinds, func(ctx context.Context, gvk schema.GroupVersionKind) error {
		_, err := c.mapper.resource(ctx, gvk)
		return err
	})
}

// anonymous takes the labels off that say whose an object is.
func anonymous(o *unstructured.Unstructured) {
	labels := o.GetLabels()
	delete(labels, LabelService)
	delete(labels, LabelEnvironment)
	if len(labels) == 0 {
		labels = nil
	}
	o.SetLabels(labels)
}

// established waits until definitions are served and namespaces take objects.
func (c *Cluster) established(ctx context.Context, objs []*unstructured.Unstructured, wave []int) error {
	for _, i := range wave {
		o := objs[i]
		d, defines := definitionOf(o)
		if !defines && o.GroupVersionKind() != (schema.GroupVersionKind{Version: "v1", Kind: "Namespace"}) {
			continue
		}
		err := c.poll(ctx, establishTime, func(ctx context.Context) (string, error) {
			live, err := c.read(ctx, c.ref(o))
			if err != nil {
				return "", c.failed("reading "+c.ref(o).String(), err)
			}
			return lacks(live), nil
		})
		if err != nil {
			return fmt.Errorf("waiting for %s: %w", c.ref(o), err)
		}
		c.mapper.forget(d.kind.Group)
		if err := c.served(ctx, d, objs); err != nil {
			return err
		}
	}
	return nil
}

// served waits until the API server lists a kind whose definition it has accepted.
func (c *Cluster) served(ctx context.Context, d definition, objs []*unstructured.Unstructured) error {
	for _, o := range objs {
		if gvk := o.GroupVersionKind(); gvk.GroupKind() == d.kind {
			err := c.poll(ctx, establishTime, func(ctx context.Context) (string, error) {
				_, missing := c.mapper.resource(ctx, gvk)
				if missing == nil {
					return "", nil
				}
				c.mapper.forget(gvk.Group)
				return missing.Error(), nil
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// lacks says what a definition or a namespace still lacks.
func lacks(o *unstructured.Unstructured) string {
	if o.GetKind() == "Namespace" {
		if phase, _, _ := unstructured.NestedString(o.Object, "status", "phase"); phase != "Active" {
			return "its phase is " + phase + " and not Active"
		}
		return ""
	}
	conditions, _, _ := unstructured.NestedSlice(o.Object, "status", "conditions")
	for _, want := range []string{"NamesAccepted", "Established"} {
		if !slices.ContainsFunc(conditions, func(c any) bool {
			condition, _ := c.(map[string]any)
			return condition["type"] == want && condition["status"] == "True"
		}) {
			return "it is not " + want + " yet"
		}
	}
	return ""
}

// ruleOf is the rule that grants a need, in YAML on one line.
func ruleOf(n need) string {
	return fmt.Sprintf("{apiGroups: [%q], resources: [%q], verbs: [%s]}", n.group, rightOf(n, false).Resource, strings.Join(n.verbs, ", "))
}
