package templates

import (
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rhysd/actionlint"
	"go.yaml.in/yaml/v3"
)

const (
	folder = "../../workflows-templates"
	ours   = "org/promote/actions/"
)

// template is one file of the folder, as text and as actionlint understands it.
type template struct {
	text     string
	workflow *actionlint.Workflow
}

// load reads all templates; the key is the file's name.
func load(t *testing.T) map[string]template {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(folder, "*.yml"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no templates in %s (%v)", folder, err)
	}
	all := make(map[string]template)
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		workflow, problems := actionlint.Parse(text)
		if len(problems) > 0 {
			t.Fatalf("%s: %v", path, problems)
		}
		all[filepath.Base(path)] = template{string(text), workflow}
	}
	return all
}

// actionSteps calls each for every step that uses an action.
func actionSteps(t template, each func(job *actionlint.Job, step *actionlint.Step, uses *actionlint.ExecAction)) {
	for _, job := range t.workflow.Jobs {
		for _, step := range job.Steps {
			if uses, ok := step.Exec.(*actionlint.ExecAction); ok {
				each(job, step, uses)
			}
		}
	}
}

func TestActionlintFindsNothing(t *testing.T) {
	linter, err := actionlint.NewLinter(io.Discard, &actionlint.LinterOptions{
		ConfigFile: filepath.Join(folder, "actionlint.yaml"),
	})
	if err != nil {
		t.Fatal(err)
	}
	for name := range load(t) {
		problems, err := linter.LintFile(filepath.Join(folder, name), nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, problem := range problems {
			t.Errorf("%s:%d: %s (%s)", name, problem.Line, problem.Message, problem.Kind)
		}
	}
}

// action is what this test needs to know of an action.yml.
type action struct {
	Inputs map[string]struct {
		Required bool
		Default  *string
	}
	Outputs map[string]any
}

func loadAction(t *testing.T, name string) (action, bool) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../../actions", name, "action.yml"))
	if errors.Is(err, fs.ErrNotExist) {
		return action{}, false
	}
	if err != nil {
		t.Fatal(err)
	}
	var a action
	if err := yaml.Unmarshal(text, &a); err != nil {
		t.Fatalf("actions/%s/action.yml: %v", name, err)
	}
	return a, true
}

func TestOurActionsGetTheInputsTheyDeclare(t *testing.T) {
	for file, tmpl := range load(t) {
		actionSteps(tmpl, func(_ *actionlint.Job, step *actionlint.Step, uses *actionlint.ExecAction) {
			path, found := strings.CutPrefix(uses.Uses.Value, ours)
			if !found {
				return
			}
			name, version, _ := strings.Cut(path, "@")
			if version != "v1" {
				t.Errorf("%s:%d: uses %s, want @v1", file, uses.Uses.Pos.Line, uses.Uses.Value)
			}
			declared, found := loadAction(t, name)
			if !found {
				t.Errorf("%s:%d: there is no action %q", file, uses.Uses.Pos.Line, name)
				return
			}
			for key, input := range uses.Inputs {
				if _, found := declared.Inputs[key]; !found {
					t.Errorf("%s:%d: %s has no input %q, only %q", file, input.Name.Pos.Line, name, key, slices.Sorted(maps.Keys(declared.Inputs)))
				}
			}
			for key, input := range declared.Inputs {
				if _, given := uses.Inputs[key]; input.Required && input.Default == nil && !given {
					t.Errorf("%s:%d: %s wants the input %q", file, uses.Uses.Pos.Line, name, key)
				}
			}
			if step.ID == nil {
				return
			}
			for _, use := range regexp.MustCompile(`steps\.`+step.ID.Value+`\.outputs\.([\w-]+)`).FindAllStringSubmatch(tmpl.text, -1) {
				if _, found := declared.Outputs[use[1]]; !found {
					t.Errorf("%s: %s has no output %q, only %q", file, name, use[1], slices.Sorted(maps.Keys(declared.Outputs)))
				}
			}
		})
	}
}

func TestActionsOfOthersArePinnedByCommit(t *testing.T) {
	pins := map[string]string{}
	pin := regexp.MustCompile(`(?m)uses: (\S+@[0-9a-f]{40} # v\d+\.\d+\.\d+|` + regexp.QuoteMeta(ours) + `\S+)$`)
	for file, tmpl := range load(t) {
		if all, pinned := strings.Count(tmpl.text, "- uses: "), len(pin.FindAllString(tmpl.text, -1)); all != pinned {
			t.Errorf("%s: %d of %d actions are pinned by commit with their version beside it", file, pinned, all)
		}
		for _, found := range regexp.MustCompile(`uses: ([\w./-]+)@([0-9a-f]{40} # \S+)`).FindAllStringSubmatch(tmpl.text, -1) {
			if other := pins[found[1]]; other != "" && other != found[2] {
				t.Errorf("%s: %s is pinned to %s here and to %s elsewhere", file, found[1], found[2], other)
			}
			pins[found[1]] = found[2]
		}
	}
}
