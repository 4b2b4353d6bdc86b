package manifest

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

func subjects(rendered *Rendered) []string {
	var all []string
	for _, o := range rendered.objects {
		all = append(all, subject(o.Unstructured))
	}
	return all
}

const plainMap = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: "

func TestRenderGivesTheObjectsOfAllFiles(t *testing.T) {
	for name, c := range map[string]struct {
		files []File
		want  []string
	}{
		"several documents, some empty": {
			files("a.yaml", "---\n# only a comment\n---\n"+plainMap+"a\n---\n\n--- # note\n"+plainMap+"b\n...\n---\n", "b.yaml", plainMap+"c\r\n---\r\n"+plainMap+"d"),
			[]string{"ConfigMap/a", "ConfigMap/b", "ConfigMap/c", "ConfigMap/d"},
		},
		"a separator inside a block scalar that is indented": {
			files("a.yaml", plainMap+"a\ndata:\n  text: |\n    ---\n    ...\n"), []string{"ConfigMap/a"},
		},
		"a document after an end marker": {
			files("a.yaml", plainMap+"a\n...\n"+plainMap+"b\n"), []string{"ConfigMap/a", "ConfigMap/b"},
		},
		"a list": {
			files("a.yaml", "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Service, metadata: {name: a}}\n- {apiVersion: v1, kind: Pod, metadata: {name: b}}\n"),
			[]string{"Service/a", "Pod/b"},
		},
		"partials": {
			files("a.yaml", "{{ include \"map\" (dict \"name\" \"x\" \"root\" .) }}", "_h.tpl", `{{ define "map" }}`+plainMap+`{{ .name }}-{{ .root.Service }}{{ end }}`),
			[]string{"ConfigMap/x-checkout"},
		},
		"a file without objects beside one with": {
			files("a.yaml", "{{ if false }}"+plainMap+"a{{ end }}", "b.tpl", plainMap+"b", "c.yaml", ""), []string{"ConfigMap/b"},
		},
		"one name in two kinds and two namespaces": {
			files("a.yaml", plainMap+"a\n---\n"+plainMap+"a\n  namespace: other\n---\n{apiVersion: v1, kind: Secret, metadata: {name: a}}"),
			[]string{"ConfigMap/a", "ConfigMap/other/a", "Secret/a"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, subjects(render(t, c.files))); diff != "" {
				t.Errorf("the objects differ (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRenderRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		files []File
		want  []string
	}{
		"a missing value, with its place and what there is": {
			configMapWith(`{{ .Values.replica }}`),
			[]string{"app.yaml:6:", "{{ .Values.replica }}", `there is no "replica"; there is hosts, nothing, replicas`},
		},
		"a missing name at the top": {configMapWith(`{{ .Imgae }}`), []string{"app.yaml:6:", `there is no "Imgae"; there is Commit, Digest`}},
		"a missing value in each file": {
			append(configMapWith(`{{ .Values.a }}`), files("b.yaml", "\n\n{{ .Values.b }}")...), []string{"app.yaml:6:", `"a"`, "b.yaml:3:", `"b"`},
		},
		"a missing value in a partial, with both places": {
			append(configMapWith(`{{ include "p" . }}`), files("_p.tpl", "{{ define \"p\" }}\n{{ .Values.zip }}{{ end }}")...),
			[]string{"_p.tpl:2:", `there is no "zip"`, "included at app.yaml:6:"},
		},
		"a value that is null":   {configMapWith(`{{ .Values.nothing }}`), []string{"app.yaml:6: a value that is null was printed (value: <no value>)"}},
		"an unknown function":    {configMapWith(`{{ shout "x" }}`), []string{`app.yaml:6: function "shout" not defined`}},
		"a template not closed":  {configMapWith(`{{ if true }}`), []string{"app.yaml:7", "unexpected EOF"}},
		"an undefined partial":   {configMapWith(`{{ include "p" . }}`), []string{"app.yaml:6:", `no template "p" is defined`}},
		"a required value":       {configMapWith(`{{ required "set values.db" .Values.nothing }}`), []string{"app.yaml:6:", "set values.db"}},
		"a partial in itself":    {append(configMapWith(`{{ include "p" . }}`), files("_p.tpl", `{{ define "p" }}{{ include "p" . }}{{ end }}`)...), []string{"nested more than 100 deep", `"p"`}},
		"a dict in itself":       {configMapWith(`{{ $d := dict }}{{ $_ := set $d "d" $d }}{{ toYaml $d }}`), []string{"app.yaml:6:", "nested more than 64 deep"}},
		"a text without bounds":  {configMapWith(`{{ range until 2000 }}{{ repeat 10000 "x" }}{{ end }}`), []string{"app.yaml: the rendered text is larger than 16 MiB"}},
		"a template twice":       {files("a.yaml", plainMap+"a", "_a.tpl", `{{ define "x" }}1{{ end }}`, "_b.tpl", `{{ define "x" }}2{{ end }}`), []string{`_b.tpl: the template "x" is already defined in _a.tpl`}},
		"no objects":             {files("a.yaml", "{{ if false }}x{{ end }}\n---\n# nothing\n", "_b.tpl", "x"), []string{"rendering a.yaml, _b.tpl: the templates gave no objects"}},
		"no files":               {nil, []string{"rendering no files: the templates gave no objects"}},
		"an object twice":        {files("a.yaml", plainMap+"a", "b.yaml", "# first\n"+plainMap+"a\n  namespace: test"), []string{"b.yaml", "ConfigMap/test/a is already there, from a.yaml:1"}},
		"an object without name": {files("a.yaml", "\n# note\napiVersion: v1\nkind: Pod"), []string{"a.yaml:3: the object has no metadata.name"}},
		"an object without kind": {files("a.yaml", plainMap+"a\n---\nmetadata: {name: b}\n---\napiVersion: v1\nmetadata: {name: 5}"), []string{"a.yaml:6: the object has no apiVersion, kind", "a.yaml:8: the object has no kind, metadata.name"}},
		"an item without kind":   {files("a.yaml", "apiVersion: v1\nkind: List\nitems: [{metadata: {name: a}}]"), []string{"a.yaml:1: the object has no apiVersion, kind"}},
		"text that is no object": {files("a.yaml", "hello"), []string{"a.yaml:1: a Kubernetes object is a mapping"}},
		"broken YAML":            {files("a.yaml", plainMap+"a\n---\n"+plainMap+"b\nx: {{ .Service }}: y\n"), []string{"a.yaml:10: parsing YAML: mapping values are not allowed"}},
		"broken YAML, by line":   {files("a.yaml", plainMap+"a\ndata:\n\tx: y\n"), []string{"a.yaml:6: parsing YAML: found character that cannot start any token"}},
		"a key twice":            {files("a.yaml", plainMap+"a\ndata: {a: b}\ndata: {c: d}\n"), []string{"a.yaml:6: parsing YAML: key \"data\" already set in map"}},
		"broken YAML with a secret, without its token": {
			files("a.yaml", "{{ $a := 1 }}{{ \"\\n\" }}"+plainMap+"a\nx: {{ secret \"id\" }}: y\n"), []string{"a.yaml:5: parsing YAML: mapping values are not allowed"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Render(c.files, input)
			wantError(t, err, c.want...)
		})
	}
}

func TestValuesAreTheSameForEachFile(t *testing.T) {
	text := func(name string) string {
		return "{{ if hasKey .Values \"seen\" }}" + plainMap + "seen{{ else }}{{ $_ := set .Values \"seen\" true }}" + plainMap + name + "{{ end }}"
	}
	rendered := render(t, files("a.yaml", text("a"), "b.yaml", text("b")))
	if diff := cmp.Diff([]string{"ConfigMap/a", "ConfigMap/b"}, subjects(rendered)); diff != "" {
		t.Errorf("one file's change of .Values was seen by another (-want +got):\n%s", diff)
	}
	if _, changed := input.Values["seen"]; changed {
		t.Error("the caller's values were changed")
	}
}

func TestDictsRenderInOneOrder(t *testing.T) {
	for range 20 {
		objects := fill(t, configMapWith(`{{ join "" (keys .Values.hosts) }}{{ join "" (values .Values.hosts) }}`), nil)
		if got := at(t, objects[0], "data", "value"); got != "abcd1234" {
			t.Fatalf("got %q, want abcd1234", got)
		}
	}
}

func TestIncludedTextWithASecretCanBeIndented(t *testing.T) {
	objects := fill(t, files("a.yaml", plainMap+"a\ndata:\n  {{- include \"data\" . | nindent 2 }}\n  b: {{ include \"data\" . | trim | quote }}\n",
		"_d.tpl", "{{ define \"data\" }}\na: {{ secret \"x\" }}\nz: end\n{{ end }}"), map[string]string{"secret x": "l1\nl2: x"})
	want := map[string]any{"a": "l1\nl2: x", "z": "end", "b": "a: l1\nl2: x\nz: end"}
	if diff := cmp.Diff(want, objects[0].Object["data"]); diff != "" {
		t.Errorf("the data differs (-want +got):\n%s", diff)
	}
}

func TestKindsAreListedOnce(t *testing.T) {
	rendered := render(t, files("a.yaml", plainMap+"a\n---\n"+plainMap+"b\n---\n{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}}"))
	want := []schema.GroupVersionKind{{Version: "v1", Kind: "ConfigMap"}, {Group: "apps", Version: "v1", Kind: "Deployment"}}
	if diff := cmp.Diff(want, rendered.Kinds()); diff != "" {
		t.Errorf("the kinds differ (-want +got):\n%s", diff)
	}
}

func TestTheInputIsAllTemplatesSee(t *testing.T) {
	objects := fill(t, configMapWith(strings.Join([]string{`"{{ .Service }}`, `{{ .Environment }}`, `{{ .Namespace }}`, `{{ .Image }}`, `{{ .Digest }}`,
		`{{ .Commit }}`, `{{ .Repository }}`, `{{ .PullRequest }}`, `{{ .Values.replicas }}`, `{{ len . }}"`}, "|")), nil)
	want := strings.Join([]string{"checkout", "test", "test", input.Image, digest, input.Commit, "org/checkout", "7", "3", "9"}, "|")
	if got := at(t, objects[0], "data", "value"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
