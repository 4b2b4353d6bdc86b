//go:build lab

package templates

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// parse hands files to the parser that GitHub publishes of its own, and gives what it says about each. It is an npm package, installed
// as the lock file beside parse.mjs has it, whose hashes npm checks.
func parse(t *testing.T, files ...string) map[string][]string {
	t.Helper()
	here, err := filepath.Abs("parser")
	if err != nil {
		t.Fatal(err)
	}
	packages := t.TempDir()
	for _, name := range []string{"package.json", "package-lock.json"} {
		data, err := os.ReadFile(filepath.Join(here, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(packages, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	install := exec.CommandContext(t.Context(), "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent")
	install.Dir = packages
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("npm ci: %v\n%s", err, out)
	}
	var out, errs bytes.Buffer
	run := exec.CommandContext(t.Context(), "node", append([]string{filepath.Join(here, "parse.mjs"), packages}, files...)...)
	run.Stdout, run.Stderr = &out, &errs
	if err := run.Run(); err != nil {
		t.Fatalf("node: %v\n%s", err, &errs)
	}
	var said map[string][]string
	if err := json.Unmarshal(out.Bytes(), &said); err != nil {
		t.Fatalf("%v: %s", err, &out)
	}
	return said
}

func TestGitHubsOwnParserTakesTheTemplates(t *testing.T) {
	templates, err := filepath.Glob(filepath.Join(folder, "*.yml"))
	if err != nil || len(templates) == 0 {
		t.Fatalf("no templates in %s (%v)", folder, err)
	}
	exported := t.TempDir()
	export := exec.CommandContext(t.Context(), "go", "run", "./internal/orgtemplates", "-to", exported)
	export.Dir = filepath.Join("..", "..")
	if out, err := export.CombinedOutput(); err != nil {
		t.Fatalf("exporting: %v\n%s", err, out)
	}
	for _, path := range templates {
		// As a repository gets it, whose branch is called otherwise.
		text, err := os.ReadFile(filepath.Join(exported, filepath.Base(path)))
		if err != nil {
			t.Fatal(err)
		}
		taken := filepath.Join(exported, "taken-"+filepath.Base(path))
		if err := os.WriteFile(taken, bytes.ReplaceAll(text, []byte("$default-branch"), []byte("trunk")), 0o600); err != nil {
			t.Fatal(err)
		}
		templates = append(templates, taken)
	}
	ours, err := filepath.Glob("../../.github/workflows/*.yml")
	if err != nil || len(ours) == 0 {
		t.Fatalf("there are no workflows (%v)", err)
	}
	templates = append(templates, ours...)
	// It must be seen to refuse, too.
	broken := map[string]string{
		"a key that there is not":     "on: push\njobs: {a: {runs-on: x, permission: {}, steps: [{run: x}]}}\n",
		"a context that there is not": "on: push\njobs: {a: {runs-on: x, steps: [{uses: a/b@v1, with: {x: \"${{ varz.A }}\"}}]}}\n",
		"an event that there is not":  "on: pish\njobs: {a: {runs-on: x, steps: [{run: x}]}}\n",
		"a job that waits for nobody": "on: push\njobs: {a: {runs-on: x, steps: [{run: x}]}, b: {needs: c, runs-on: x, steps: [{run: x}]}}\n",
	}
	refused := map[string]string{}
	for name, text := range broken {
		path := filepath.Join(exported, strings.ReplaceAll(name, " ", "-")+".yml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		refused[path] = name
		templates = append(templates, path)
	}
	said := parse(t, templates...)
	for _, path := range templates {
		problems, looked := said[path]
		switch name, bad := refused[path]; {
		case !looked:
			t.Errorf("it says nothing about %s", path)
		case bad && len(problems) == 0:
			t.Errorf("it takes %s", name)
		case !bad && len(problems) > 0:
			t.Errorf("%s: %s", path, strings.Join(problems, "; "))
		}
	}
}
