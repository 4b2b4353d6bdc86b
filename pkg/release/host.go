package release

import "k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

// Host is the address at which the release's own Ingress or HTTPRoute serves, as URL; "" when none names a host. https is what an
// Ingress with a certificate for that host has; who serves an HTTPRoute is not in the manifests, so that is https too.
func (c *Candidate) Host() string {
	for _, o := range c.out.objects.Shared {
		switch o.GetKind() {
		case "Ingress":
			rules, _, _ := unstructured.NestedSlice(o.Object, "spec", "rules")
			for _, rule := range rules {
				if host, _, _ := unstructured.NestedString(asMap(rule), "host"); host != "" {
					return scheme(o, host) + "://" + host
				}
			}
		case "HTTPRoute":
			if hosts, _, _ := unstructured.NestedStringSlice(o.Object, "spec", "hostnames"); len(hosts) > 0 {
				return "https://" + hosts[0]
			}
		}
	}
	return ""
}

// scheme is how an Ingress serves a host.
func scheme(ingress *unstructured.Unstructured, host string) string {
	certificates, _, _ := unstructured.NestedSlice(ingress.Object, "spec", "tls")
	for _, each := range certificates {
		hosts, found, _ := unstructured.NestedStringSlice(asMap(each), "hosts")
		if !found {
			return "https"
		}
		for _, covered := range hosts {
			if covered == host {
				return "https"
			}
		}
	}
	return "http"
}

func asMap(v any) map[string]any {
	m, _ := v.(map[string]any)
	return m
}
