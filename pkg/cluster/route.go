package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// AnnotationWeights holds, on a route whose clients two releases share, the weights that its rules gave the shared Service before: a
// [plainWeights] in JSON.
const AnnotationWeights = "promote.dev/weights"

// plainWeights are weights by the rule's place, from 0. A rule that named none is not in it.
type plainWeights map[int]int64

const (
	routeVersion = "gateway.networking.k8s.io/v1"
	routeKind    = "HTTPRoute"
	// routeWeights is what the weights of a shared rule come to: a hundredth of a percent is 1.
	routeWeights = 10_000
	// routeTime bounds the wait for a gateway's controller to take a route over.
	routeTime = 30 * time.Second
)

// Routes finds the HTTPRoutes that lead to one of the Services, sorted by name.
func (c *Cluster) Routes(ctx context.Context, services []string) ([]ObjectRef, error) {
	list, err := c.listRoutes(ctx)
	if err != nil {
		return nil, err
	}
	var found []ObjectRef
	for i := range list.Items {
		o := &list.Items[i]
		for _, s := range services {
			if leadsTo(o, s) {
				found = append(found, ObjectRef{APIVersion: routeVersion, Kind: routeKind, Namespace: c.Namespace, Name: o.GetName(), UID: o.GetUID()})
				break
			}
		}
	}
	slices.SortFunc(found, func(a, b ObjectRef) int { return strings.Compare(a.Name, b.Name) })
	return found, nil
}

func (c *Cluster) listRoutes(ctx context.Context) (*unstructured.UnstructuredList, error) {
	data, err := answer(c.raw.Get().AbsPath("apis", "gateway.networking.k8s.io", "v1", "namespaces", c.Namespace, "httproutes").Do(ctx))
	if IsNotFound(err) {
		return nil, fmt.Errorf("listing the HTTPRoutes of Namespace/%s: the cluster does not serve %s: install a gateway, or use the input `traffic: pods`", c.Namespace, routeVersion)
	}
	if err != nil {
		return nil, c.failed("listing the HTTPRoutes of Namespace/"+c.Namespace, err)
	}
	list := &unstructured.UnstructuredList{}
	if err := list.UnmarshalJSON(data); err != nil {
		return nil, fmt.Errorf("parsing the HTTPRoutes of Namespace/%s: %w", c.Namespace, err)
	}
	return list, nil
}

// CheckRoutes refuses, all at once, routes that can't share their clients by weights between the shared Services and the candidate's
// own, and rights that are missing to do it. It changes nothing.
func (c *Cluster) CheckRoutes(ctx context.Context, routes []ObjectRef, ways []Way) error {
	var problems []error
	missing, err := c.missing(ctx, []need{gatewayRight})
	switch {
	case err != nil:
		problems = append(problems, err)
	case len(missing) > 0:
		problems = append(problems, fmt.Errorf("Namespace/%s: %s may not %s: add what docs/role.yaml says on routes to its Role%s", c.Namespace, c.account, strings.Join(missing, "; "), c.advice(ctx)))
	}
	for _, ref := range routes {
		o, err := c.read(ctx, ref)
		if err != nil {
			problems = append(problems, c.failed("reading "+ref.String(), err))
			continue
		}
		if err := share(o.DeepCopy(), ways, 0); err != nil {
			problems = append(problems, err)
		}
		if reason := untaken(o); reason != "" {
			problems = append(problems, fmt.Errorf("%s: %s: see whether its gateway's controller runs", ref, reason))
		}
	}
	return errors.Join(problems...)
}

// ShareRoute gives the candidate's own Services percent of the clients that a route leads to the shared ones, and waits until the
// gateway's controller has taken that over.
func (c *Cluster) ShareRoute(ctx context.Context, route ObjectRef, ways []Way, percent float64) error {
	if err := c.PatchRoute(ctx, route, ways, percent); err != nil {
		return err
	}
	return c.awaitRoute(ctx, route)
}

// PatchRoute is [Cluster.ShareRoute] without the wait.
func (c *Cluster) PatchRoute(ctx context.Context, route ObjectRef, ways []Way, percent float64) error {
	return c.edit(ctx, route, "sharing", func(o *unstructured.Unstructured) error { return share(o, ways, percent) })
}

// RestoreRoute gives a route the backends and weights that it had before it was shared, and waits until the controller has taken that
// over. One that is gone, or not shared, is fine.
func (c *Cluster) RestoreRoute(ctx context.Context, route ObjectRef, ways []Way) error {
	if err := c.edit(ctx, route, "restoring", func(o *unstructured.Unstructured) error { return restore(o, ways) }); err != nil {
		return err
	}
	return c.awaitRoute(ctx, route)
}

// awaitRoute waits until every gateway of a route has accepted it as it is now.
func (c *Cluster) awaitRoute(ctx context.Context, route ObjectRef) error {
	err := c.poll(ctx, routeTime, func(ctx context.Context) (string, error) {
		o, err := c.read(ctx, route)
		if IsNotFound(err) {
			return "", nil
		}
		if err != nil {
			return "", c.failed("reading "+route.String(), err)
		}
		return untaken(o), nil
	})
	if err != nil {
		return fmt.Errorf("awaiting that the gateway follows %s: %w", route, err)
	}
	return nil
}

// untaken says why a route is not in force as it stands; "" when every gateway has accepted it.
func untaken(o *unstructured.Unstructured) string {
	parents, _, _ := unstructured.NestedSlice(o.Object, "status", "parents")
	if len(parents) == 0 {
		return "no gateway has taken it"
	}
	for _, p := range parents {
		parent, _ := p.(map[string]any)
		gateway, _, _ := unstructured.NestedString(parent, "parentRef", "name")
		conditions, _, _ := unstructured.NestedSlice(parent, "conditions")
		for _, kind := range []string{"Accepted", "ResolvedRefs"} {
			if reason := unmetCondition(conditions, kind, o.GetGeneration()); reason != "" {
				return fmt.Sprintf("Gateway %s: %s", gateway, reason)
			}
		}
	}
	return ""
}

// unmetCondition says why a condition of an object's status is not true of the generation; "" when it is.
func unmetCondition(conditions []any, kind string, generation int64) string {
	for _, each := range conditions {
		condition, _ := each.(map[string]any)
		if condition["type"] != kind {
			continue
		}
		seen, _, _ := unstructured.NestedInt64(condition, "observedGeneration")
		switch {
		case seen < generation:
			return fmt.Sprintf("it has seen generation %d of %d", seen, generation)
		case condition["status"] != string(metav1.ConditionTrue):
			return fmt.Sprintf("%s is %v, %v: %v", kind, condition["status"], condition["reason"], condition["message"])
		}
		return ""
	}
	return "it says nothing of " + kind
}

// share lets every rule that leads to a shared Service lead to the candidate's own too, with percent of the weight. What the rule's
// backend says besides, its port and filters, both have.
func share(o *unstructured.Unstructured, ways []Way, percent float64) error {
	was, err := weightsOf(o)
	if err != nil {
		return err
	}
	rules, _, err := unstructured.NestedSlice(o.Object, "spec", "rules")
	if err != nil {
		return fmt.Errorf("reading the rules of %s: %w", RefOf(o), err)
	}
	weight := int64(math.Round(routeWeights * percent / 100))
	if weight == 0 && percent > 0 {
		weight = 1
	}
	var problems []error
	for i := range rules {
		rule, _ := rules[i].(map[string]any)
		backends, _ := rule["backendRefs"].([]any)
		for _, way := range ways {
			at := backendOf(backends, o.GetNamespace(), way.Shared)
			if at < 0 {
				continue
			}
			if other := third(backends, o.GetNamespace(), way); other != "" {
				problems = append(problems, fmt.Errorf("%s: rule %d leads to Service %s and to %s; weights between two releases need the rule for themselves: give %s a rule of its own", RefOf(o), i+1, way.Shared, other, other))
				continue
			}
			shared, _ := backends[at].(map[string]any)
			if _, noted := was[i]; !noted && backendOf(backends, o.GetNamespace(), way.Own.Name) < 0 {
				if before, given := shared["weight"].(int64); given {
					was[i] = before
				}
			}
			shared, candidate := maps.Clone(shared), maps.Clone(shared)
			shared["weight"] = routeWeights - weight
			candidate["name"], candidate["weight"] = way.Own.Name, weight
			backends[at] = shared
			if own := backendOf(backends, o.GetNamespace(), way.Own.Name); own >= 0 {
				backends[own] = candidate
			} else {
				backends = append(backends, candidate)
			}
			rule["backendRefs"] = backends
		}
	}
	if len(problems) > 0 {
		return errors.Join(problems...)
	}
	note, err := json.Marshal(was)
	if err != nil {
		return fmt.Errorf("noting the weights of %s: %w", RefOf(o), err)
	}
	setAnnotation(o, AnnotationWeights, string(note))
	return unstructured.SetNestedSlice(o.Object, rules, "spec", "rules")
}

// restore undoes what share did.
func restore(o *unstructured.Unstructured, ways []Way) error {
	was, err := weightsOf(o)
	if err != nil {
		return err
	}
	rules, _, err := unstructured.NestedSlice(o.Object, "spec", "rules")
	if err != nil {
		return fmt.Errorf("reading the rules of %s: %w", RefOf(o), err)
	}
	for i := range rules {
		rule, _ := rules[i].(map[string]any)
		backends, _ := rule["backendRefs"].([]any)
		for _, way := range ways {
			own, at := backendOf(backends, o.GetNamespace(), way.Own.Name), backendOf(backends, o.GetNamespace(), way.Shared)
			if own < 0 || at < 0 {
				continue
			}
			shared, _ := backends[at].(map[string]any)
			delete(shared, "weight")
			if weight, noted := was[i]; noted {
				shared["weight"] = weight
			}
			rule["backendRefs"] = slices.Delete(backends, own, own+1)
		}
	}
	annotations := o.GetAnnotations()
	delete(annotations, AnnotationWeights)
	o.SetAnnotations(annotations)
	return unstructured.SetNestedSlice(o.Object, rules, "spec", "rules")
}

func weightsOf(o *unstructured.Unstructured) (plainWeights, error) {
	was := plainWeights{}
	if note := o.GetAnnotations()[AnnotationWeights]; note != "" {
		if err := json.Unmarshal([]byte(note), &was); err != nil {
			return nil, fmt.Errorf("reading the annotation %s of %s: %w", AnnotationWeights, RefOf(o), err)
		}
	}
	return was, nil
}

// leadsTo says whether a rule of the route leads to a Service of its namespace.
func leadsTo(o *unstructured.Unstructured, service string) bool {
	rules, _, _ := unstructured.NestedSlice(o.Object, "spec", "rules")
	return slices.ContainsFunc(rules, func(r any) bool {
		rule, _ := r.(map[string]any)
		backends, _ := rule["backendRefs"].([]any)
		return backendOf(backends, o.GetNamespace(), service) >= 0
	})
}

// backendOf finds a Service of the route's own namespace among the backends of a rule; -1 when it is not there.
func backendOf(backends []any, namespace, service string) int {
	return slices.IndexFunc(backends, func(b any) bool {
		backend, _ := b.(map[string]any)
		group, _ := backend["group"].(string)
		kind, named := backend["kind"].(string)
		other, elsewhere := backend["namespace"].(string)
		return backend["name"] == service && group == "" && (!named || kind == "Service") && (!elsewhere || other == namespace)
	})
}

// third names a backend that is neither of the two Services and takes clients; "" when there is none.
func third(backends []any, namespace string, way Way) string {
	for i, b := range backends {
		backend, _ := b.(map[string]any)
		if i == backendOf(backends, namespace, way.Shared) || i == backendOf(backends, namespace, way.Own.Name) {
			continue
		}
		if weight, given := backend["weight"].(int64); given && weight == 0 {
			continue
		}
		return fmt.Sprint(backend["name"])
	}
	return ""
}
