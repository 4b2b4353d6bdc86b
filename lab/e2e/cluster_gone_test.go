//go:build lab

package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// TestWhatIsGoneIsSeenAmongMany looks at more objects of one kind than are read one by one: one is deleted, one is another of the
// same name, one has lost its label and is still there. An account that may not list sees the same.
func TestWhatIsGoneIsSeenAmongMany(t *testing.T) {
	t.Parallel()
	p := newPlace(t, "e2e")
	c, ctx, maps := p.connect(), t.Context(), p.admin.CoreV1().ConfigMaps(p.namespace)
	var docs []string
	for i := range 600 {
		docs = append(docs, fmt.Sprintf("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c-%d, labels: {promote.dev/service: checkout}}", i))
	}
	refs := p.apply(c, strings.Join(docs, "\n---\n"))
	p.must(nil, maps.Delete(ctx, "c-3", metav1.DeleteOptions{}))
	p.must(nil, maps.Delete(ctx, "c-5", metav1.DeleteOptions{}))
	p.apply(c, docs[5])
	p.must(maps.Patch(ctx, "c-7", types.MergePatchType, []byte(`{"metadata":{"labels":{"promote.dev/service":null}}}`), metav1.PatchOptions{}))
	check := func(t *testing.T) {
		gone, err := c.Missing(ctx, refs)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, ref := range gone {
			names = append(names, ref.Name)
		}
		if diff := cmp.Diff([]string{"c-3", "c-5"}, names); diff != "" {
			t.Error(diff)
		}
	}
	t.Run("with the documented role", check)
	roles := p.admin.RbacV1().Roles(p.namespace)
	role, err := roles.Get(ctx, "promote", metav1.GetOptions{})
	p.must(role, err)
	for i, r := range role.Rules {
		if r.Resources[0] == "configmaps" {
			role.Rules[i].Verbs = slices.DeleteFunc(r.Verbs, func(v string) bool { return v == "list" })
		}
	}
	p.must(roles.Update(ctx, role, metav1.UpdateOptions{}))
	p.awaitRight("", "configmaps", "list", false)
	t.Run("without the right to list", check)
}
