package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// declared are the inputs of each action.
func declared(t *testing.T) map[string]map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "actions", "*", "action.yml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("found no action.yml (%v)", err)
	}
	all := map[string]map[string]bool{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var action struct {
			Inputs map[string]any `json:"inputs"`
		}
		if err := yaml.Unmarshal(text, &action); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		inputs := map[string]bool{}
		for name := range action.Inputs {
			inputs[name] = true
		}
		all[filepath.Base(filepath.Dir(file))] = inputs
	}
	return all
}

// ownKeys are the first keys of YAML that is no step and no part of one.
var ownKeys = []string{"on", "jobs", "name", "apiVersion", "kind", "data", "spec", "metadata", "secrets", "parameters", "true", "relabel_configs", "permissions", "steps", "spec"}

// A block that shows a step of ours, or a part of one, has inputs that the action declares.
func TestBlocksGiveActionsTheInputsTheyDeclare(t *testing.T) {
	actions := declared(t)
	seen := 0
	for _, p := range load(t) {
		for _, b := range p.Blocks() {
			if b.Language != "yaml" {
				continue
			}
			text := strings.ReplaceAll(dedent(b.Text), "\n…\n", "\n")
			var content any
			if err := yaml.Unmarshal([]byte(text), &content); err != nil {
				t.Errorf("%s:%d: %v", p.Path, b.Line, err)
				continue
			}
			found := steps(content)
			for _, s := range found {
				seen++
				name, version, _ := strings.Cut(s.action, "@")
				if actions[name] == nil || version != "v1" {
					t.Errorf("%s:%d: there is no action %s; valid are build, canary, deploy and unit-test, @v1", p.Path, b.Line, s.action)
					continue
				}
				for key := range s.with {
					if !actions[name][key] {
						t.Errorf("%s:%d: %s has no input %q", p.Path, b.Line, name, key)
					}
				}
			}
			// A mapping without a step is what stands below `with:`.
			part, ok := content.(map[string]any)
			if !ok || len(found) > 0 || hasOwnKey(part) {
				continue
			}
			seen++
			if !slices.ContainsFunc([]string{"canary", "deploy", "build", "unit-test"}, func(name string) bool { return all(part, actions[name]) }) {
				t.Errorf("%s:%d: no action has all of these inputs:\n%s", p.Path, b.Line, b.Text)
			}
		}
	}
	if seen < 10 {
		t.Errorf("only %d blocks show inputs: are they still found?", seen)
	}
}

func hasOwnKey(content map[string]any) bool {
	return slices.ContainsFunc(ownKeys, func(key string) bool { _, has := content[key]; return has })
}

func all(part map[string]any, inputs map[string]bool) bool {
	for key := range part {
		if !inputs[key] {
			return false
		}
	}
	return true
}

// dedent takes away the blanks that all lines begin with, as in a block that shows the middle of a file.
func dedent(text string) string {
	least := -1
	lines := strings.Split(text, "\n")
	for _, line := range lines {
		if blanks := len(line) - len(strings.TrimLeft(line, " ")); strings.TrimSpace(line) != "" && (least < 0 || blanks < least) {
			least = blanks
		}
	}
	for i, line := range lines {
		lines[i] = line[min(max(least, 0), len(line)):]
	}
	return strings.Join(lines, "\n")
}

// step is one use of an action of ours.
type step struct {
	action string
	with   map[string]any
}

// steps finds every use of our actions in what a block holds.
func steps(content any) []step {
	var found []step
	switch c := content.(type) {
	case []any:
		for _, each := range c {
			found = append(found, steps(each)...)
		}
	case map[string]any:
		if uses, ok := c["uses"].(string); ok {
			if name, ok := strings.CutPrefix(uses, "org/promote/actions/"); ok {
				with, _ := c["with"].(map[string]any)
				found = append(found, step{action: name, with: with})
			}
		}
		for _, each := range c {
			found = append(found, steps(each)...)
		}
	}
	return found
}

// Variables of the templates, of the actions and of the lab all begin so.
func TestEveryVariableThatAPageNamesIsRead(t *testing.T) {
	variable := regexp.MustCompile(`\bPROMOTE_[A-Z_]*[A-Z]\b`)
	read := map[string]bool{}
	for _, pattern := range []string{"workflows-templates/*.yml", "actions/*/*.go", "pkg/*/*.go", "lab/*/*.go", "actions/*.sh", "hack/*", ".ci/*", "Makefile"} {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil || len(files) == 0 {
			t.Fatalf("found no %s (%v)", pattern, err)
		}
		for _, file := range files {
			if info, err := os.Stat(file); err == nil && info.IsDir() {
				continue
			}
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range variable.FindAll(data, -1) {
				read[string(name)] = true
			}
		}
	}
	for _, p := range load(t) {
		for i, line := range strings.Split(p.Text, "\n") {
			for _, name := range variable.FindAllString(line, -1) {
				if !read[name] {
					t.Errorf("%s:%d: nothing reads a variable %s", p.Path, i+1, name)
				}
			}
		}
	}
}
