package manifest

import (
	"strings"
	"testing"
)

func TestErrorsNameTheTemplatesLineWhateverStandsBefore(t *testing.T) {
	// The line with "wrong:" has no key in YAML's eyes; what stands before it moves it away from where it is in the template.
	for name, c := range map[string]struct {
		text, want string
		more       []File
	}{
		"nothing":                    {text: "a: b\nwrong: x: y\n", want: "app.yaml:2: parsing YAML"},
		"a branch that is not taken": {text: "{{ if false }}\nx: 1\ny: 2\n{{ end }}\na: b\nwrong: x: y\n", want: "app.yaml:6: parsing YAML"},
		"trimmed blanks":             {text: "{{- if true }}\n\n\na: b\n{{- end }}\n\n\n{{ $x := 1 -}}\n\n\nwrong: x: y\n", want: "app.yaml:11: parsing YAML"},
		"a loop":                     {text: "a:\n{{- range until 5 }}\n- {{ . }}\n{{- end }}\nwrong: x: y\n", want: "app.yaml:5: parsing YAML"},
		"inside a loop":              {text: "a: b\n{{- range $i := until 3 }}\nk{{ $i }}: {{ if eq $i 2 }}x: y{{ end }}\n{{- end }}\n", want: "app.yaml:3: parsing YAML"},
		"an action of many lines":    {text: "a:\n{{ toYaml .Values.hosts | indent 2 }}\nwrong: x: y\n", want: "app.yaml:3: parsing YAML"},
		"a comment of many lines":    {text: "{{/* one\ntwo\nthree */}}\nwrong: x: y\n", want: "app.yaml:4: parsing YAML"},
		"an action over many lines":  {text: "a: {{ printf \"%s\"\n  \"x\"\n  }}\nwrong: x: y\n", want: "app.yaml:4: parsing YAML"},
		"two that read the same":     {text: "{{ if false }}\nwrong: x: y\n{{ end }}\nwrong: x: y\n", want: "app.yaml:4: parsing YAML"},
		"windows lines":              {text: "{{ if true }}\r\na: b\r\n{{ end }}\r\nwrong: x: y\r\n", want: "app.yaml:4: parsing YAML"},
		"a template that is called":  {text: "{{ template \"t\" . }}\nwrong: x: y\n", want: "app.yaml:2: parsing YAML", more: files("_t.tpl", "{{ define \"t\" }}a: b\nc: d{{ end }}")},
		"inside one that is called":  {text: "a: b\n{{ template \"t\" . }}\n", want: "_t.tpl:3: parsing YAML", more: files("_t.tpl", "{{ define \"t\" -}}\nc: d\nwrong: x: y\n{{- end }}")},
		"inside one that is included": {
			text: "{{ if false }}\n{{ end }}a: b\n{{ include \"t\" . | trim | nindent 0 }}\nz: end\n", want: "_t.tpl:3, included at app.yaml:3: parsing YAML",
			more: files("_t.tpl", "{{ define \"t\" }}\nc: d\nwrong: x: y\n{{ end }}"),
		},
		"inside one that an included one includes": {
			text: "a: b\n{{ include \"outer\" . }}\n", want: "_t.tpl:2, included at app.yaml:2: parsing YAML",
			more: files("_t.tpl", "{{ define \"inner\" }}\nwrong: {{ \"x\" }}: y\n{{ end }}", "_u.tpl", "{{ define \"outer\" }}{{ include \"inner\" . | trim }}{{ end }}"),
		},
		"two included lines that read the same": {
			text: "a: b\n{{ include \"t\" . }}\n", want: "app.yaml:2: parsing YAML",
			more: files("_t.tpl", "{{ define \"t\" }}{{ if false }}{{ end }}wrong: x: y\n{{ include \"u\" . }}{{ end }}{{ define \"u\" }}wrong: x: y{{ end }}"),
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Render(append(files("app.yaml", c.text), c.more...), input)
			if err == nil || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("got %v, want it to begin with %q", err, c.want)
			}
		})
	}
}

func TestWhatIsNullIsNamedWhereItStands(t *testing.T) {
	_, err := Render(files("app.yaml", "{{ if true }}\na: b\n{{ end }}\n"+plainMap+"{{ .Values.nothing }}\n"), input)
	wantError(t, err, "app.yaml:7: a value that is null was printed (name: <no value>)")
}

func TestAFieldIsFoundByThePathThatTheAPIServerWrites(t *testing.T) {
	rendered := render(t, files("app.yaml", `{{ if false }}
{{ end }}apiVersion: v1
kind: List
items:
- &first
  apiVersion: apps/v1
  kind: Deployment
  metadata:
    name: web
    labels:
      app.kubernetes.io/name: web
      app: web
  spec:
    replicas: 1
    template:
      spec:
        containers:
        - {name: side, image: x}
        - name: app
          image: {{ .Image }}
          args: [a,
            b]
          ports:
          - containerPort: 80
            name: http
          env:
          {{- range $k, $v := .Values.hosts }}
          - name: {{ $k }}
            value: {{ $v | quote }}
          {{- end }}
`))
	for path, want := range map[string]string{
		".spec.replicas":                                                                         "app.yaml:14",
		"spec.template.spec.containers[0].image":                                                 "app.yaml:18",
		".spec.template.spec.containers[1].image":                                                "app.yaml:20",
		`spec.template.spec.containers[name="app"]`:                                              "app.yaml:19",
		`.spec.template.spec.containers[name="app"].env[name="c"].value`:                         "app.yaml:29",
		`.spec.template.spec.containers[name="app"].ports[containerPort=80,protocol="TCP"].name`: "app.yaml:25",
		"spec.template.spec.containers[1].args[1]":                                               "app.yaml:22",
		`.spec.template.spec.containers[name="app"].args[="b"]`:                                  "app.yaml:22",
		".metadata.labels.app.kubernetes.io/name":                                                "app.yaml:11",
		"metadata.labels[app.kubernetes.io/name]":                                                "app.yaml:11",
		".metadata.labels.app":                                                                   "app.yaml:12",
		"spec.template.spec.containers[1].resources.limits":                                      "app.yaml:19", // the deepest that is there
		"spec.template.spec.containers[7].image":                                                 "app.yaml:17",
		"":                                                                                       "app.yaml:5",
		"nothing.like.it":                                                                        "app.yaml:5",
	} {
		if got := rendered.objects[0].at.field(path); got != want {
			t.Errorf("%q is at %s, want %s", path, got, want)
		}
	}
}
