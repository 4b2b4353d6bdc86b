package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

const own = "../../workflows-templates"

func TestEveryTemplateIsExportedWithItsProperties(t *testing.T) {
	to := filepath.Join(t.TempDir(), "a", "workflow-templates")
	var out bytes.Buffer
	if err := run([]string{"-from", own, "-to", to}, &out); err != nil {
		t.Fatal(err)
	}
	templates, err := filepath.Glob(filepath.Join(own, "*.yml"))
	if err != nil || len(templates) < 5 {
		t.Fatalf("%d templates, %v", len(templates), err)
	}
	names := map[string]string{}
	for _, path := range templates {
		name := strings.TrimSuffix(filepath.Base(path), ".yml")
		text, err := os.ReadFile(filepath.Join(to, name+".yml"))
		if err != nil {
			t.Fatal(err)
		}
		var workflow struct {
			Name string         `json:"name"`
			Jobs map[string]any `json:"jobs"`
		}
		if err := yaml.Unmarshal(bytes.ReplaceAll(text, []byte(placeholder), []byte("trunk")), &workflow); err != nil || workflow.Name != name || len(workflow.Jobs) == 0 {
			t.Errorf("%s: %+v, %v", name, workflow, err)
		}
		data, err := os.ReadFile(filepath.Join(to, name+suffix))
		if err != nil {
			t.Fatal(err)
		}
		var p properties
		if err := json.Unmarshal(data, &p); err != nil {
			t.Fatal(err)
		}
		if other, taken := names[p.Name]; taken {
			t.Errorf("%s and %s are both called %q", name, other, p.Name)
		}
		names[p.Name] = name
	}
	written, err := os.ReadDir(to)
	if err != nil || len(written) != 2*len(templates) || strings.Count(out.String(), "\n") != len(written) {
		t.Errorf("%d files for %d templates, %v", len(written), len(templates), err)
	}
	production, err := os.ReadFile(filepath.Join(to, "production.yml"))
	if err != nil || !strings.Contains(string(production), "branches: [$default-branch]\n") || strings.Contains(string(production), "[main]") {
		t.Errorf("production does not run on the default branch (%v)", err)
	}
	unit, err := os.ReadFile(filepath.Join(to, "unit-test.yml"))
	if err != nil || strings.Contains(string(unit), "refs/heads/main") || !strings.Contains(string(unit), asked) {
		t.Errorf("unit-test compares with main (%v)", err)
	}
}

func TestWhatCannotBeExportedIsRefused(t *testing.T) {
	const fine = `{"name": "a", "description": "b", "iconName": "octicon rocket", "categories": ["deployment"]}`
	for name, test := range map[string]struct {
		files map[string]string
		want  string
	}{
		"a template without properties":   {map[string]string{"a.yml": "on: push\n"}, `template "a": it has no properties`},
		"properties without a template":   {map[string]string{"a.yml": "on: push\n", "properties/a" + suffix: fine, "properties/b" + suffix: fine}, "there is no template of that name"},
		"a field that is not documented":  {map[string]string{"a.yml": "on: push\n", "properties/a" + suffix: `{"icon": "x"}`}, `unknown field "icon"`},
		"nothing but an empty object":     {map[string]string{"a.yml": "on: push\n", "properties/a" + suffix: `{}`}, "it has no categories"},
		"an icon of no known form":        {map[string]string{"a.yml": "on: push\n", "properties/a" + suffix: strings.Replace(fine, "octicon rocket", "rocket", 1)}, `its iconName "rocket" is no octicon`},
		"a category that there is not":    {map[string]string{"a.yml": "on: push\n", "properties/a" + suffix: strings.Replace(fine, `"deployment"`, `"fun"`, 1)}, `its category "fun" is none of`},
		"a pattern that does not read":    {map[string]string{"a.yml": "on: push\n", "properties/a" + suffix: strings.Replace(fine, "}", `, "filePatterns": ["("]}`, 1)}, "its filePattern"},
		"the main branch where it stands": {map[string]string{"a.yml": "on: push\nx: main\n", "properties/a" + suffix: fine}, "line 2 names the branch main"},
		"no templates":                    {map[string]string{"b.txt": ""}, "there are none"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for path, text := range test.files {
				full := filepath.Join(dir, "from", filepath.FromSlash(path))
				if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(full, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			to := filepath.Join(dir, "to")
			err := run([]string{"-from", filepath.Join(dir, "from"), "-to", to}, &bytes.Buffer{})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
			if _, err := os.Stat(to); err == nil {
				t.Error("something was written")
			}
		})
	}
	if err := run([]string{"-from", own}, &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), "TO=") {
		t.Errorf("got %v", err)
	}
}
