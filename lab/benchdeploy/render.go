package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// renderCount is how many documents are rendered, each from a template file of its own.
const renderCount = 200

// measureRender renders a folder of 200 templates with promote and with `helm template`; nobody is asked.
func measureRender(ctx context.Context, w *world) error {
	chart, err := w.dir("chart")
	if err != nil {
		return err
	}
	folder, err := w.dir("templates")
	if err != nil {
		return err
	}
	if err := errors.Join(newChart(chart), os.WriteFile(filepath.Join(chart, "values.yaml"), []byte("level: debug\n"), 0o600)); err != nil {
		return err
	}
	for i := range renderCount {
		for _, dir := range []string{filepath.Join(chart, "templates"), folder} {
			if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("item-%03d.yaml", i)), []byte(document(i)), 0o600); err != nil {
				return err
			}
		}
	}
	// promote renders releases only: something has to serve.
	serves := workload("{{ .Image }}", "v1", 1, "")
	if err := os.WriteFile(filepath.Join(folder, "web.yaml"), []byte(serves), 0o600); err != nil {
		return err
	}
	env, err := w.alone("/nowhere")
	if err != nil {
		return err
	}
	_, digest, _ := strings.Cut(w.image, "@")
	r := results{timed: map[string][]outcome{}}
	for range w.rounds {
		for name, s := range map[string]step{
			"promote": {w.action, []string{"render", "-manifests", folder, "-values", "level: debug", "-service", "web", "-image", w.repository, "-digest", digest}},
			"helm":    {w.helm, []string{"template", "web", chart}},
		} {
			out, err := commands(ctx, w.work, env, nil, s)
			if err != nil {
				return err
			}
			if n := strings.Count(out.output, "kind: ConfigMap\n"); out.failed || n != renderCount {
				return fmt.Errorf("running %s: it rendered %d of %d documents:\n%.2000s", name, n, renderCount, out.output)
			}
			r.timed[name] = append(r.timed[name], out)
		}
	}
	t := r.times()
	w.table.add(row{what: fmt.Sprintf("%d documents rendered", renderCount), unit: "s", values: t, goals: []goal{atMost(t[0], 0.5, t[2], "helm")}})
	return nil
}

// document is one template, with what templates mostly do: values, a condition, a loop, quoting.
func document(i int) string {
	return fmt.Sprintf(`apiVersion: v1
kind: ConfigMap
metadata:
  name: item-%03d
data:
  level: {{ .Values.level | quote }}
  {{- if eq .Values.level "debug" }}
  verbose: "true"
  {{- end }}
  {{- range $i, $word := list "one" "two" "three" }}
  word-{{ $i }}: {{ $word | upper | quote }}
  {{- end }}
`, i)
}
