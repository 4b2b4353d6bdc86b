package cluster

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	authorizationv1 "k8s.io/api/authorization/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
)

// reviewer is an API server that answers what an account may do, and nothing else.
type reviewer struct {
	t *testing.T
	// rules are what the account may do as a review of its rules lists them; unlisted is what it may do besides, "verb resource".
	rules    []authorizationv1.ResourceRule
	unlisted []string

	mu    sync.Mutex
	asked []string
}

func (r *reviewer) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	answer := func(value any) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(value)
	}
	switch {
	case q.Method == http.MethodGet && q.URL.Path == "/apis/example.com/v1":
		http.NotFound(w, q)
	case q.Method == http.MethodPost && strings.HasSuffix(q.URL.Path, "/selfsubjectrulesreviews"):
		answer(authorizationv1.SelfSubjectRulesReview{Status: authorizationv1.SubjectRulesReviewStatus{ResourceRules: r.rules}})
	case q.Method == http.MethodPost && strings.HasSuffix(q.URL.Path, "/selfsubjectaccessreviews"):
		var review authorizationv1.SelfSubjectAccessReview
		if err := json.NewDecoder(q.Body).Decode(&review); err != nil {
			r.t.Error(err)
		}
		a := review.Spec.ResourceAttributes
		name := a.Verb + " " + a.Resource
		if a.Subresource != "" {
			name += "/" + a.Subresource
		}
		if a.Namespace == "" {
			name += " everywhere"
		}
		r.asked = append(r.asked, name)
		review.Status.Allowed = slices.Contains(r.unlisted, name)
		answer(review)
	default:
		r.t.Errorf("nobody should ask %s %s", q.Method, q.URL)
		http.NotFound(w, q)
	}
}

func (r *reviewer) cluster() *Cluster {
	r.t.Helper()
	server := httptest.NewServer(r)
	r.t.Cleanup(server.Close)
	c, err := connect(&rest.Config{Host: server.URL}, "prod", Config{Outage: -1})
	if err != nil {
		r.t.Fatal(err)
	}
	return c
}

// all are the rules that grant needs in full.
func all(needs []need) []authorizationv1.ResourceRule {
	var rules []authorizationv1.ResourceRule
	for _, n := range needs {
		rules = append(rules, authorizationv1.ResourceRule{Verbs: n.verbs, APIGroups: []string{n.group}, Resources: []string{rightOf(n, false).Resource}})
	}
	return rules
}

func lackingOf(rights []Right) []string {
	var rules []string
	for _, r := range rights {
		if len(r.Lacking) > 0 {
			rules = append(rules, r.String()+" "+r.Rule())
		}
	}
	return rules
}

func TestRightsAreToldAsTheRulesThatAreLacking(t *testing.T) {
	accounts := schema.GroupVersionKind{Version: "v1", Kind: "ServiceAccount"}
	t.Run("with all rights nothing is asked twice", func(t *testing.T) {
		r := &reviewer{t: t, rules: all(standing)}
		got, err := r.cluster().Rights(t.Context(), nil, nil)
		if err != nil || lackingOf(got) != nil || len(r.asked) > 0 || len(got) != len(standing) {
			t.Errorf("got %v, %v after %v", lackingOf(got), err, r.asked)
		}
	})
	t.Run("each resource once, with the verbs that are lacking", func(t *testing.T) {
		rules := slices.DeleteFunc(all(standing), func(r authorizationv1.ResourceRule) bool {
			return slices.ContainsFunc(r.Resources, func(name string) bool { return name == "leases" || name == "pods/portforward" })
		})
		r := &reviewer{t: t, rules: rules, unlisted: []string{"get leases", "create jobs"}}
		got, err := r.cluster().Rights(t.Context(), WatchdogRights, []schema.GroupVersionKind{accounts})
		if err != nil {
			t.Fatal(err)
		}
		want := []string{
			`pods/portforward {apiGroups: [""], resources: ["pods/portforward"], verbs: [create]}`,
			`leases.coordination.k8s.io {apiGroups: ["coordination.k8s.io"], resources: ["leases"], verbs: [create, update]}`,
			`serviceaccounts {apiGroups: [""], resources: ["serviceaccounts"], verbs: [create, delete, get, patch]}`,
			`jobs.batch {apiGroups: ["batch"], resources: ["jobs"], verbs: [delete]}`,
		}
		if diff := cmp.Diff(want, lackingOf(got)); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("what belongs to the whole cluster is asked there", func(t *testing.T) {
		r := &reviewer{t: t, rules: append(all(standing), authorizationv1.ResourceRule{
			Verbs: []string{"*"}, APIGroups: []string{"*"}, Resources: []string{"*"},
		}), unlisted: []string{"get namespaces everywhere"}}
		got, err := r.cluster().Rights(t.Context(), nil, []schema.GroupVersionKind{{Version: "v1", Kind: "Namespace"}}, namespaceNamed("other"))
		want := []string{`namespaces {apiGroups: [""], resources: ["namespaces"], verbs: [create, patch]}`}
		if diff := cmp.Diff(want, lackingOf(got)); err != nil || diff != "" {
			t.Errorf("%v\n%s", err, diff)
		}
	})
	t.Run("a kind that is unknown hides nothing", func(t *testing.T) {
		r := &reviewer{t: t}
		got, err := r.cluster().Rights(t.Context(), nil, []schema.GroupVersionKind{{Group: "example.com", Version: "v1", Kind: "Widget"}})
		if err == nil || !strings.Contains(err.Error(), "example.com/v1") || len(lackingOf(got)) != len(standing) {
			t.Errorf("got %d, %v", len(lackingOf(got)), err)
		}
	})
}

func namespaceNamed(name string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": name}}}
}
