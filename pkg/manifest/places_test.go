package manifest

import (
	"strings"
	"testing"
)

func TestPlaceholdersMayNotIdentifyAnything(t *testing.T) {
	text := func(replace, by string) string {
		whole := "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: app\n  namespace: test\n  labels: {app: app}\n" +
			"  annotations: {note: text}\nspec:\n  selector:\n    matchLabels: {app: app}\n  template:\n    metadata:\n      labels: {app: app}\n"
		if !strings.Contains(whole, replace) {
			panic(replace)
		}
		return strings.Replace(whole, replace, by, 1)
	}
	const secret = `{{ secret "x" "k" }}`
	for name, c := range map[string]struct{ text, want string }{
		"the API version": {text("apps/v1", secret), "the object's apiVersion at .apiVersion"},
		"the kind":        {text("Deployment", secret), "the object's kind at .kind"},
		"the name":        {text("name: app", "name: a-"+secret), "the object's name at .metadata.name"},
		"the namespace":   {text("namespace: test", "namespace: "+secret), "the object's namespace at .metadata.namespace"},
		"a label":         {text("labels: {app: app}", "labels: {app: "+secret+"}"), "a label at .metadata.labels.app"},
		"a finalizer":     {text("labels: {app: app}", "finalizers: ["+secret+"]"), "the object's metadata at .metadata.finalizers[0]"},
		"a selector":      {text("matchLabels: {app: app}", "matchLabels: {app: "+secret+"}"), "a selector at .spec.selector.matchLabels.app"},
		"a pod's label":   {text("      labels: {app: app}", "      labels: {app: "+secret+"}"), "a label at .spec.template.metadata.labels.app"},
		"a key":           {text("{note: text}", "{a"+secret+": text}"), "a map key at .metadata.annotations"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Render(files("app.yaml", c.text), input)
			wantError(t, err, "app.yaml:1", "(secret x#k) stands in "+c.want)
		})
	}
	t.Run("a Service's selector", func(t *testing.T) {
		_, err := Render(files("app.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {selector: {app: "+secret+"}}"), input)
		wantError(t, err, "Service/a: (secret x#k) stands in a selector at .spec.selector.app")
	})
	t.Run("but may stand in annotations and in data named like a label", func(t *testing.T) {
		render(t, files("app.yaml", text("note: text", "note: "+secret)))
		render(t, files("app.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {selector: "+secret+", labels: "+secret+"}"))
	})
}
