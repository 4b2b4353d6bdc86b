package release

import (
	"testing"

	"github.com/org/promote/pkg/manifest"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func TestTheHostIsThatOfTheReleasesOwnRoute(t *testing.T) {
	ingress := func(tls []any, hosts ...any) map[string]any {
		rules := []any{}
		for _, h := range hosts {
			rules = append(rules, map[string]any{"host": h})
		}
		return map[string]any{"kind": "Ingress", "spec": map[string]any{"rules": rules, "tls": tls}}
	}
	const host = "pr-7.preview.example.com"
	for name, test := range map[string]struct {
		object map[string]any
		want   string
	}{
		"an Ingress":                           {ingress(nil, host, "other"), "http://" + host},
		"an Ingress with a certificate for it": {ingress([]any{map[string]any{"hosts": []any{host}}}, host), "https://" + host},
		"an Ingress with another's":            {ingress([]any{map[string]any{"hosts": []any{"other"}}}, host), "http://" + host},
		"an Ingress with one for all":          {ingress([]any{map[string]any{"secretName": "tls"}}, host), "https://" + host},
		"an Ingress for every host":            {ingress(nil, ""), ""},
		"an HTTPRoute":                         {map[string]any{"kind": "HTTPRoute", "spec": map[string]any{"hostnames": []any{host}}}, "https://" + host},
		"neither":                              {map[string]any{"kind": "ServiceAccount"}, ""},
	} {
		c := candidateOf(&manifest.Objects{Shared: []*unstructured.Unstructured{{Object: test.object}}})
		if got := c.Host(); got != test.want {
			t.Errorf("%s gives %q, want %q", name, got, test.want)
		}
	}
}
