package cluster

import (
	"context"
	"errors"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Right is what the work takes of one resource, and what of it the account lacks.
type Right struct {
	// Group is the API group; Resource has the subresource behind a slash, as pods/log.
	Group, Resource string
	// Needed and Lacking are verbs.
	Needed, Lacking []string
	// Wide says that it is needed in the whole cluster and not in the namespace alone.
	Wide bool
}

// String names the resource as `kubectl auth can-i` does: deployments.apps, pods/log.
func (r Right) String() string { return r.need(nil).String() }

// Rule is the rule, in YAML on one line, that adds what is lacking to a Role, or to a ClusterRole when it is wide.
func (r Right) Rule() string { return ruleOf(r.need(r.Lacking)) }

func (r Right) need(verbs []string) need {
	resource, part, _ := strings.Cut(r.Resource, "/")
	return need{group: r.Group, resource: resource, subresource: part, verbs: verbs}
}

// gatewayRight is what the weights of a gateway's routes take.
var gatewayRight = need{"gateway.networking.k8s.io", "httproutes", "", []string{"get", "list", "patch"}}

// Some work takes more than every deployment does.
var (
	// GatewayRights move the weights of a gateway's routes.
	GatewayRights = []Right{rightOf(gatewayRight, false)}
	// WatchdogRights make the Job that stands by.
	WatchdogRights = []Right{
		{Resource: "serviceaccounts", Needed: []string{"get"}},
		{Group: "batch", Resource: "jobs", Needed: []string{"create", "delete"}},
	}
)

func rightOf(n need, wide bool) Right {
	resource := n.resource
	if n.subresource != "" {
		resource += "/" + n.subresource
	}
	return Right{Group: n.group, Resource: resource, Needed: n.verbs, Wide: wide}
}

// Rights tells, resource by resource, what work takes here and what the account lacks of it. The kinds are those of the manifests, whole
// their objects that belong to the whole cluster, and more is what this run takes besides. It changes nothing. The error has every
// kind that is unknown, and what could not be asked.
func (c *Cluster) Rights(ctx context.Context, more []Right, kinds []schema.GroupVersionKind, whole ...*unstructured.Unstructured) ([]Right, error) {
	needs, wide, problems := c.needs(ctx, kinds, whole)
	for _, r := range more {
		needs = append(needs, r.need(r.Needed))
	}
	needs = merged(needs)
	lacking, err := c.lackingVerbs(ctx, needs)
	if err != nil {
		return nil, errors.Join(append(problems, err)...)
	}
	var rights []Right
	for _, n := range needs {
		r := rightOf(n, false)
		if i := slices.IndexFunc(lacking, func(l need) bool { return l.String() == n.String() }); i >= 0 {
			r.Lacking = lacking[i].verbs
		}
		rights = append(rights, r)
	}
	for _, n := range wide {
		r := rightOf(n, true)
		if r.Lacking, err = c.deniedWide(ctx, n); err != nil {
			problems = append(problems, err)
		}
		rights = append(rights, r)
	}
	return rights, errors.Join(problems...)
}

// Lacking gives, of rights in the namespace, those of which the account lacks a verb.
func (c *Cluster) Lacking(ctx context.Context, rights []Right) ([]Right, error) {
	var needs []need
	for _, r := range rights {
		needs = append(needs, r.need(r.Needed))
	}
	lacking, err := c.lackingVerbs(ctx, needs)
	var found []Right
	for _, n := range lacking {
		r := rightOf(n, false)
		r.Lacking = n.verbs
		found = append(found, r)
	}
	return found, err
}

// merged has each resource once, with the verbs of all.
func merged(needs []need) []need {
	var all []need
	for _, n := range needs {
		i := slices.IndexFunc(all, func(m need) bool { return m.String() == n.String() })
		if i < 0 {
			n.verbs = slices.Clone(n.verbs)
			all = append(all, n)
			continue
		}
		for _, verb := range n.verbs {
			if !slices.Contains(all[i].verbs, verb) {
				all[i].verbs = append(all[i].verbs, verb)
			}
		}
	}
	return all
}

// CheckEnvironment makes sure that the namespace is there and is the environment that is meant: a [WrongEnvironmentError] when it is
// another one.
func (c *Cluster) CheckEnvironment(ctx context.Context, environment string) error {
	return c.preflightEnvironment(ctx, environment)
}

// CheckPreview names every right that is missing to make a preview, which need not exist.
func (c *Cluster) CheckPreview(ctx context.Context, p Preview) error {
	if err := p.Check(); err != nil {
		return err
	}
	return c.preflightPreview(ctx, p.Namespace())
}

// Account is who the requests come from, in words: the account of a kubeconfig, or what it was made of instead.
func (c *Cluster) Account() string { return c.account }

// Advice says what gives rights to the account, where that is known: on EKS an access entry. It may be "".
func (c *Cluster) Advice(ctx context.Context) string {
	return strings.TrimPrefix(c.advice(ctx), "; ")
}
