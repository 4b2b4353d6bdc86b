package cluster

import (
	"os"
	"slices"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/yaml"
)

func TestRole(t *testing.T) {
	data, err := os.ReadFile("../../docs/role.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var role rbacv1.Role
	if err := yaml.UnmarshalStrict(data, &role); err != nil {
		t.Fatal(err)
	}
	allows := func(n need, verb string) bool {
		return slices.ContainsFunc(role.Rules, func(r rbacv1.PolicyRule) bool {
			name := n.resource
			if n.subresource != "" {
				name += "/" + n.subresource
			}
			return slices.Contains(r.APIGroups, n.group) && slices.Contains(r.Resources, name) && slices.Contains(r.Verbs, verb)
		})
	}
	t.Run("grants all that preflight asks for", func(t *testing.T) {
		for _, n := range standing {
			for _, verb := range n.verbs {
				if !allows(n, verb) {
					t.Errorf("lacks %s %s", verb, n)
				}
			}
		}
	})
	t.Run("has no wildcard and cannot list secrets or change roles", func(t *testing.T) {
		for _, r := range role.Rules {
			for _, s := range slices.Concat(r.APIGroups, r.Resources, r.Verbs) {
				if s == "*" {
					t.Errorf("a wildcard in %v", r)
				}
			}
			if slices.Contains(r.APIGroups, rbacv1.GroupName) {
				t.Errorf("reaches roles: %v", r)
			}
		}
		for _, verb := range []string{"list", "watch"} {
			if allows(need{resource: "secrets"}, verb) {
				t.Errorf("may %s secrets", verb)
			}
		}
	})
}
