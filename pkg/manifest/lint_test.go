package manifest

import (
	"strings"
	"testing"
)

// sound is a service that there is nothing to say about.
const sound = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 30
      containers:
      - name: web
        image: IMAGE
        ports: [{containerPort: 8080}]
        readinessProbe: {httpGet: {path: /ready, port: 8080}, periodSeconds: 5}
        livenessProbe: {httpGet: {path: /alive, port: 8080}}
        lifecycle: {preStop: {sleep: {seconds: 5}}}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web}
spec: {maxUnavailable: 1, selector: {matchLabels: {app: web}}}
`

func TestLint(t *testing.T) {
	for _, c := range []struct{ name, old, new, want string }{
		{"a sound service", "", "", ""},
		{"no readiness probe", "        readinessProbe: {httpGet: {path: /ready, port: 8080}, periodSeconds: 5}\n", "", "Deployment/web-REL: no container has a readinessProbe"},
		{"a probe that sleeps", "periodSeconds: 5", "periodSeconds: 20", "for up to 1m0s after it has failed"},
		{"the usual probe is quick enough", ", periodSeconds: 5", "", ""},
		{"no preStop", "        lifecycle: {preStop: {sleep: {seconds: 5}}}\n", "", "container web has no preStop hook"},
		{"a preStop that takes all of the time", "terminationGracePeriodSeconds: 30", "terminationGracePeriodSeconds: 5", "sleeps 5 s in its preStop hook, and is killed after 5 s"},
		{"one question for both probes", "path: /alive", "path: /ready", "is restarted by what makes it unready"},
		{"a budget of all", "maxUnavailable: 1", "minAvailable: 3", "PodDisruptionBudget/web: it lets none of the 3 pods be moved"},
		{"in percent", "maxUnavailable: 1", `minAvailable: "100%"`, "it lets none of the 3 pods be moved"},
		{"a budget of none", "maxUnavailable: 1", "maxUnavailable: 0", "it lets none of the 3 pods be moved"},
		{"a budget for others", "selector: {matchLabels: {app: web}}}", "selector: {matchLabels: {app: other}}}", ""},
		{"a value that is looked up", "replicas: 3", `replicas: {{ param "/replicas" | int }}`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := strings.ReplaceAll(sound, "IMAGE", input.Image)
			if !strings.Contains(text, c.old) {
				t.Fatalf("there is no %q", c.old)
			}
			text = strings.Replace(text, c.old, c.new, 1) + webService
			objects, err := render(t, files("app.yaml", text)).Preview(request)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, a := range objects.Lint() {
				got = append(got, a.String())
			}
			want := strings.ReplaceAll(c.want, "REL", request.Release)
			if all := strings.Join(got, "\n"); want == "" && all != "" || !strings.Contains(all, want) || want != "" && len(got) != 1 {
				t.Errorf("got\n%s\nwant one with %q", all, want)
			}
		})
	}
}
