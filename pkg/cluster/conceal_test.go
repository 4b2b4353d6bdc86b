package cluster

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/org/promote/pkg/mask"
)

// redacting is a cluster that nothing is asked of, with secrets of this run.
func redacting(values ...string) *Cluster {
	set := &mask.Set{}
	for _, v := range values {
		set.Add([]byte(v))
	}
	return &Cluster{redact: set.Text}
}

func TestADiffShowsNoSecret(t *testing.T) {
	folded := "a value 'quoted' and \"quoted\", " + strings.Repeat("that goes on and on, ", 8) + "with an end"
	for name, test := range map[string]struct {
		before, after string
		filled        []Filled
		secrets       []string
		want          string
	}{
		"a value that YAML folds and quotes is found before it is YAML": {
			after:   "kind: ConfigMap\nmetadata: {name: c}\ndata: {k: VALUE, l: 'a \"tab\t\" VALUE b'}",
			secrets: []string{folded},
			want:    "+data:\n+  k: '***'\n+  l: \"a \\\"tab\\t\\\" *** b\"\n+kind: ConfigMap\n+metadata:\n+  name: c\n",
		},
		"what is filled in is shown by name, however short": {
			after:  "kind: ConfigMap\nmetadata: {name: c}\ndata: {pin: '7', url: 'pg://app:7@db'}",
			filled: []Filled{{"ConfigMap", "c", []string{"data", "pin"}, "(secret a)"}, {"ConfigMap", "c", []string{"data", "url"}, "pg://app:(secret a)@db"}},
			want:   "+data:\n+  pin: (secret a)\n+  url: pg://app:(secret a)@db\n+kind: ConfigMap\n+metadata:\n+  name: c\n",
		},
		"neither the value before, which nobody knew, nor the new one is shown": {
			before: "kind: ConfigMap\nmetadata: {name: c}\ndata: {k: oldvalue, l: same}",
			after:  "kind: ConfigMap\nmetadata: {name: c}\ndata: {k: newvalue, l: same}",
			filled: []Filled{{"ConfigMap", "c", []string{"data", "k"}, "(secret a)"}},
			want:   " data:\n-  k: (secret)\n+  k: (secret a)\n   l: same\n kind: ConfigMap\n",
		},
		"of a file only the lines with secrets are hidden": {
			before: "kind: ConfigMap\nmetadata: {name: c}\ndata: {f: \"a: 1\\npw: old\\nb: 2\\n\"}",
			after:  "kind: ConfigMap\nmetadata: {name: c}\ndata: {f: \"a: 1\\npw: new\\nb: 3\\n\"}",
			filled: []Filled{{"ConfigMap", "c", []string{"data", "f"}, "a: 1\npw: (secret a)\nb: 3\n"}},
			want:   "   f: |\n     a: 1\n-    (secret)\n+    pw: (secret a)\n+    b: 3\n kind: ConfigMap\n metadata:\n",
		},
		"an item of a list is known by its name, wherever it stands": {
			before: "kind: Pod\nmetadata: {name: c}\nspec: {containers: [{name: proxy, env: [{name: K, value: x}]}, {name: app, env: [{name: A, value: a}, {name: K, value: old}]}]}",
			after:  "kind: Pod\nmetadata: {name: c}\nspec: {containers: [{name: proxy, env: [{name: K, value: x}]}, {name: app, env: [{name: K, value: new}]}]}",
			filled: []Filled{{"Pod", "c", []string{"spec", "containers", "1", "env", "0", "value"}, "(secret a)"}},
			want:   "     name: proxy\n   - env:\n-    - name: A\n-      value: a\n     - name: K\n-      value: (secret)\n+      value: (secret a)\n     name: app\n",
		},
		"of items without a name those are shown that are applied as they are": {
			before: "kind: Pod\nmetadata: {name: c}\nspec: {args: [--a, --pw=old, --gone, --b]}",
			after:  "kind: Pod\nmetadata: {name: c}\nspec: {args: [--a, --pw=new, --b]}",
			filled: []Filled{{"Pod", "c", []string{"spec", "args", "1"}, "--pw=(secret a)"}},
			want:   "   args:\n   - --a\n-  - (secret)\n-  - (secret)\n+  - --pw=(secret a)\n   - --b\n",
		},
		"a number is hidden too": {
			before: "kind: Deployment\nmetadata: {name: c}\nspec: {replicas: 3}",
			after:  "kind: Deployment\nmetadata: {name: c}\nspec: {replicas: 4}",
			filled: []Filled{{"Deployment", "c", []string{"spec", "replicas"}, "(param r)"}},
			want:   "   name: c\n spec:\n-  replicas: (secret)\n+  replicas: (param r)\n",
		},
		"that only values changed is said": {
			before:  "kind: ConfigMap\nmetadata: {name: c}\ndata: {k: oldvalue}",
			after:   "kind: ConfigMap\nmetadata: {name: c}\ndata: {k: newvalue}",
			secrets: []string{"oldvalue", "newvalue"},
			want:    "+(only secret values change)\n",
		},
		"kubectl's copy of the manifest is no part of it": {
			before: "kind: ConfigMap\nmetadata: {name: c, annotations: {kubectl.kubernetes.io/last-applied-configuration: '{\"data\":\"oldvalue\"}'}}\ndata: {k: a}",
			after:  "kind: ConfigMap\nmetadata: {name: c, annotations: {kubectl.kubernetes.io/last-applied-configuration: '{\"data\":\"oldvalue\"}'}}\ndata: {k: b}",
			want:   " data:\n-  k: a\n+  k: b\n kind: ConfigMap\n metadata:\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			after := parse(t, test.after)
			replace(after.Object, "VALUE", folded)
			var before *unstructured.Unstructured
			if test.before != "" {
				before = parse(t, test.before)
			}
			kept := after.DeepCopy()
			got := redacting(test.secrets...).diff(after, before, after, test.filled)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("%s\nthe whole diff:\n%s", diff, got)
			}
			if diff := cmp.Diff(kept.Object, after.Object); diff != "" {
				t.Errorf("the object itself was changed: %s", diff)
			}
		})
	}
}

// replace puts text in the place of a word in every string below value.
func replace(value any, word, text string) {
	fields, _ := value.(map[string]any)
	for key, field := range fields {
		if s, ok := field.(string); ok {
			fields[key] = strings.ReplaceAll(s, word, text)
		}
		replace(field, word, text)
	}
}
