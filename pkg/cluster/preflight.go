package cluster

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

	authorizationv1 "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// need is one right that the work takes.
type need struct {
	group, resource, subresource string
	verbs                        []string
}

func (n need) String() string {
	name := n.resource
	if n.group != "" {
		name += "." + n.group
	}
	if n.subresource != "" {
		name += "/" + n.subresource
	}
	return name
}

// standing are the rights that every deployment takes, whatever the manifests hold. docs/role.yaml grants them; a test
// compares the two.
var standing = []need{
	{"", "configmaps", "", []string{"get", "create", "update", "patch", "delete"}},
	{"", "services", "", []string{"get", "list", "create", "patch", "delete"}},
	{"", "pods", "", []string{"get", "list", "watch", "patch", "delete"}},
	{"", "pods", "log", []string{"get"}},
	{"", "pods", "portforward", []string{"create"}},
	{"", "events", "", []string{"list", "watch"}},
	{"apps", "deployments", "", []string{"get", "list", "watch", "create", "patch", "delete"}},
	{"apps", "replicasets", "", []string{"list", "watch"}},
	{"autoscaling", "horizontalpodautoscalers", "", []string{"list"}},
	{"discovery.k8s.io", "endpointslices", "", []string{"list"}},
	{"coordination.k8s.io", "leases", "", []string{"get", "create", "update"}},
}

// perKind are the rights to apply, compare and delete objects of a kind; kinds that are waited for are watched too. Secrets
// are not, so the account cannot list them.
func perKind(kind string) []string {
	verbs := []string{"get", "create", "patch", "delete"}
	if !atOnce[kind] {
		verbs = append(verbs, "list", "watch")
	}
	return verbs
}

// Preflight finds every reason why work in this namespace could not be done, before anything is touched: the namespace is
// another environment, rights are missing, kinds are unknown. It changes nothing. kinds are those of the manifests, and whole
// are their objects that belong to the whole cluster: those take rights beyond the namespace, and nothing else does.
func (c *Cluster) Preflight(ctx context.Context, environment string, kinds []schema.GroupVersionKind, whole ...*unstructured.Unstructured) error {
	if err := c.preflightEnvironment(ctx, environment); err != nil {
		// On the wrong cluster every right would be missing too; one cause is enough.
		return err
	}
	needs, wide, problems := c.needs(ctx, kinds, whole)
	missing, err := c.missing(ctx, needs)
	if err != nil {
		problems = append(problems, err)
	}
	if len(missing) > 0 {
		problems = append(problems, fmt.Errorf("Namespace/%s: %s may not %s: bind it to the Role in docs/role.yaml, with what the manifests hold added%s",
			c.Namespace, c.account, strings.Join(missing, "; "), c.advice(ctx)))
	}
	return errors.Join(append(problems, c.missingWide(ctx, wide)...)...)
}

// needs are the rights that the work takes in the namespace, and those that the manifests' objects take in the whole cluster. The
// problems are kinds that are unknown.
func (c *Cluster) needs(ctx context.Context, kinds []schema.GroupVersionKind, whole []*unstructured.Unstructured) (needs, wide []need, problems []error) {
	needs = slices.Clone(standing)
	for _, gvk := range kinds {
		r, err := c.mapper.resource(ctx, gvk)
		if errors.Is(err, errNotServed) {
			r, err = definedBy(whole, gvk, err)
		}
		switch {
		case err != nil:
			problems = append(problems, err)
		case !r.namespaced && gvk.Kind == "Namespace" && c.onlyOwn(whole):
			needs = append(needs, need{resource: r.Resource, verbs: []string{"get", "patch"}})
		case !r.namespaced:
			wide = append(wide, need{group: r.Group, resource: r.Resource, verbs: []string{"get", "create", "patch"}})
		default:
			needs = append(needs, need{group: r.Group, resource: r.Resource, verbs: perKind(gvk.Kind)})
		}
	}
	return needs, wide, problems
}

// definedBy is how a kind is reached that the cluster does not serve yet, because its definition is among the objects.
func definedBy(whole []*unstructured.Unstructured, gvk schema.GroupVersionKind, otherwise error) (resource, error) {
	for _, o := range whole {
		if d, is := definitionOf(o); is && d.kind == gvk.GroupKind() {
			return resource{gvk.GroupVersion().WithResource(d.resource), !d.cluster}, nil
		}
	}
	return resource{}, otherwise
}

// onlyOwn says that no namespace is among the objects but the one that everything is in, which its own Role can reach.
func (c *Cluster) onlyOwn(whole []*unstructured.Unstructured) bool {
	return !slices.ContainsFunc(whole, func(o *unstructured.Unstructured) bool {
		return o.GetKind() == "Namespace" && o.GetName() != c.Namespace
	})
}

// missingWide says which rights in the whole cluster the account lacks, and the rule that gives them.
func (c *Cluster) missingWide(ctx context.Context, needs []need) []error {
	var problems []error
	for _, n := range needs {
		missing, err := c.deniedWide(ctx, n)
		switch {
		case err != nil:
			problems = append(problems, err)
		case len(missing) > 0:
			problems = append(problems, fmt.Errorf("the manifests hold %s, which belong to the whole cluster, and the account may not %s them: let an administrator apply them and take them "+
				"out of the manifests, or bind the account to a ClusterRole with the rule %s", n, strings.Join(missing, ", "), ruleOf(n)))
		}
	}
	return problems
}

// deniedWide gives the verbs of a need in the whole cluster that the account lacks.
func (c *Cluster) deniedWide(ctx context.Context, n need) ([]string, error) {
	lacking, err := c.deniedOf(ctx, "", []need{n}, func(need, string) bool { return false })
	if len(lacking) == 0 {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(n.verbs), func(verb string) bool { return !slices.Contains(lacking[0].verbs, verb) }), err
}

// preflightEnvironment checks that the namespace is the environment that is meant.
func (c *Cluster) preflightEnvironment(ctx context.Context, environment string) error {
	namespace, err := c.Client.Namespaces().Get(ctx, c.Namespace, metav1.GetOptions{})
	switch {
	case apierrors.IsForbidden(err):
		return fmt.Errorf("reading Namespace/%s: %s may not: it belongs to another environment than %q (then give the job that environment's runner label, such as `runs-on: promote-%s`), "+
			"or lacks the Role in docs/role.yaml: %w%s", c.Namespace, c.account, environment, environment, err, c.advice(ctx))
	case apierrors.IsUnauthorized(err) && c.advise != nil:
		// The error has the advice already.
		return c.failed("reading Namespace/"+c.Namespace, err)
	case apierrors.IsUnauthorized(err):
		return fmt.Errorf("reading Namespace/%s: the cluster does not accept the credentials of %s: renew them: %w", c.Namespace, c.account, err)
	case IsNotFound(err):
		return fmt.Errorf("Namespace/%s does not exist in this cluster: make it with the label %s=%s, or run the job on the runner of %q", c.Namespace, LabelEnvironment, environment, environment)
	case err != nil:
		return c.failed("reading Namespace/"+c.Namespace, err)
	}
	if found := namespace.Labels[LabelEnvironment]; found != environment {
		return &WrongEnvironmentError{Namespace: c.Namespace, Wanted: environment, Found: found}
	}
	return nil
}

// advice is what the identity, when it is one that can say, adds to a refusal of a right.
func (c *Cluster) advice(ctx context.Context) string {
	if c.advise == nil {
		return ""
	}
	return "; " + c.advise(ctx, http.StatusForbidden)
}

// missing asks which rights the account lacks, in words.
func (c *Cluster) missing(ctx context.Context, needs []need) ([]string, error) {
	lacking, err := c.lackingVerbs(ctx, needs)
	var missing []string
	for _, n := range lacking {
		missing = append(missing, strings.Join(n.verbs, ", ")+" "+n.String())
	}
	return missing, err
}

// lackingVerbs gives, of the needs in this namespace, the verbs that the account lacks, sorted. One review of all its rules answers for
// most; what they do not show (an authorizer that cannot list its rules) is asked one by one.
func (c *Cluster) lackingVerbs(ctx context.Context, needs []need) ([]need, error) {
	review, err := c.Client.SelfSubjectRulesReviews().Create(ctx, &authorizationv1.SelfSubjectRulesReview{
		Spec: authorizationv1.SelfSubjectRulesReviewSpec{Namespace: c.Namespace},
	}, metav1.CreateOptions{})
	if err != nil {
		return nil, c.failed("asking what the account may do in Namespace/"+c.Namespace, err)
	}
	return c.deniedOf(ctx, c.Namespace, needs, func(n need, verb string) bool { return granted(review.Status.ResourceRules, n, verb) })
}

// deniedOf asks, one by one and of the whole cluster where the namespace is "", for the verbs that nothing is known of.
func (c *Cluster) deniedOf(ctx context.Context, namespace string, needs []need, known func(need, string) bool) ([]need, error) {
	type question struct {
		need
		verb string
	}
	var unclear []question
	asked := map[string]bool{}
	for _, n := range needs {
		for _, verb := range n.verbs {
			if key := n.String() + " " + verb; !asked[key] && !known(n, verb) {
				asked[key] = true
				unclear = append(unclear, question{n, verb})
			}
		}
	}
	var mu sync.Mutex
	lacking := map[string]need{}
	err := each(ctx, unclear, func(ctx context.Context, q question) error {
		answer, err := c.Client.SelfSubjectAccessReviews().Create(ctx, &authorizationv1.SelfSubjectAccessReview{
			Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &authorizationv1.ResourceAttributes{
				Namespace: namespace, Verb: q.verb, Group: q.group, Resource: q.resource, Subresource: q.subresource,
			}},
		}, metav1.CreateOptions{})
		if err != nil {
			return c.failed("asking whether the account may "+q.verb+" "+q.String(), err)
		}
		if !answer.Status.Allowed {
			mu.Lock()
			defer mu.Unlock()
			n := lacking[q.String()]
			if n.verbs == nil {
				n = need{group: q.group, resource: q.resource, subresource: q.subresource}
			}
			n.verbs = append(n.verbs, q.verb)
			lacking[q.String()] = n
		}
		return nil
	})
	var found []need
	for _, name := range slices.Sorted(maps.Keys(lacking)) {
		slices.Sort(lacking[name].verbs)
		found = append(found, lacking[name])
	}
	return found, err
}

// granted says that one of the rules allows the verb for every object of the resource.
func granted(rules []authorizationv1.ResourceRule, n need, verb string) bool {
	name := n.resource
	if n.subresource != "" {
		name += "/" + n.subresource
	}
	has := func(list []string, want string) bool {
		return slices.Contains(list, want) || slices.Contains(list, "*")
	}
	return slices.ContainsFunc(rules, func(r authorizationv1.ResourceRule) bool {
		return len(r.ResourceNames) == 0 && has(r.Verbs, verb) && has(r.APIGroups, n.group) && has(r.Resources, name)
	})
}
