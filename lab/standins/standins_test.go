package standins

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"

	"github.com/org/promote/lab/runner"
)

const suite = "../.."

// action is a stand-in's action.yml.
type action struct {
	Inputs map[string]struct {
		Required bool   `yaml:"required"`
		Default  string `yaml:"default"`
	} `yaml:"inputs"`
	Runs struct {
		Steps []struct {
			Shell string            `yaml:"shell"`
			Env   map[string]string `yaml:"env"`
			Run   string            `yaml:"run"`
		} `yaml:"steps"`
	} `yaml:"runs"`
}

func load(t *testing.T, folder string) action {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(folder, "action.yml"))
	if err != nil {
		t.Fatal(err)
	}
	var a action
	if err := yaml.Unmarshal(data, &a); err != nil {
		t.Fatal(err)
	}
	return a
}

// run runs the script of a stand-in as act does, with these inputs, and gives the last line of what it says.
func run(t *testing.T, folder, workspace, artifacts string, with map[string]string) (last string, ok bool) {
	t.Helper()
	a := load(t, folder)
	step := a.Runs.Steps[0]
	script := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(script, []byte(step.Run), 0o600); err != nil {
		t.Fatal(err)
	}
	words := strings.Fields(strings.ReplaceAll(step.Shell, "{0}", script))
	cmd := exec.CommandContext(t.Context(), words[0], words[1:]...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "GITHUB_WORKSPACE=" + workspace, "LAB_ARTIFACTS=" + artifacts}
	for name, value := range step.Env {
		input := strings.TrimSuffix(strings.TrimPrefix(value, "${{ inputs."), " }}")
		declared, there := a.Inputs[input]
		if !there {
			t.Fatalf("%s: %s is of no input", folder, value)
		}
		given, there := with[input]
		if !there {
			given = declared.Default
		}
		cmd.Env = append(cmd.Env, name+"="+given)
	}
	out, err := cmd.CombinedOutput()
	if exit := (&exec.ExitError{}); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return lines[len(lines)-1], err == nil
}

func TestEveryActionOfTheTemplatesHasAStandInWithItsInputs(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(suite, "workflows-templates", "*.yml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no templates (%v)", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		w, err := runner.Parse(filepath.Base(file), data)
		if err != nil {
			t.Fatal(err)
		}
		found := For(w.Uses(), suite)
		var steps struct {
			Jobs map[string]struct {
				Steps []struct {
					Uses string         `yaml:"uses"`
					With map[string]any `yaml:"with"`
				} `yaml:"steps"`
			} `yaml:"jobs"`
		}
		if err := yaml.Unmarshal(data, &steps); err != nil {
			t.Fatal(err)
		}
		for _, job := range steps.Jobs {
			for _, step := range job.Steps {
				if strings.HasPrefix(step.Uses, "org/promote/") {
					continue
				}
				folder, there := found[step.Uses]
				if !there {
					t.Errorf("%s: nothing stands in for %s", w.File, step.Uses)
					continue
				}
				declared := load(t, folder).Inputs
				for input := range step.With {
					if _, there := declared[input]; !there {
						t.Errorf("%s: the stand-in for %s knows no input %q", w.File, step.Uses, input)
					}
				}
			}
		}
	}
}

func TestForLeavesOthersActionsToAct(t *testing.T) {
	got := For([]string{"actions/checkout@v5", "evil/checkout@v5", "actions/setup-go@v6", "org/promote/actions/build@v1"}, "/suite")
	if diff := cmp.Diff(map[string]string{"actions/checkout@v5": "/suite/lab/standins/checkout"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestUploadArtifact(t *testing.T) {
	for name, test := range map[string]struct {
		with map[string]string
		says string
		ok   bool
		kept []string
	}{
		"files and patterns are kept under the artifact's name": {map[string]string{"name": "a-1", "path": "one.html\nsub dir/*.json\n"}, "artifact a-1 has run.json", true, []string{"a-1/one.html", "a-1/run.json"}},
		"the name has a default":                                {map[string]string{"path": "one.html"}, "artifact artifact has one.html", true, []string{"artifact/one.html"}},
		"no path":                                               {map[string]string{"path": ""}, "::error::Input required and not supplied: path", false, nil},
		"nothing there is an error when that is asked for":      {map[string]string{"path": "none", "if-no-files-found": "error"}, "::error::No files were found with the provided path: none. No artifacts will be uploaded.", false, nil},
		"nothing there is no error by itself":                   {map[string]string{"path": "none"}, "no files were found with the provided path: none", true, nil},
		"another behaviour":                                     {map[string]string{"path": "one.html", "if-no-files-found": "fail"}, "::error::Unrecognized if-no-files-found input. Provided: fail", false, nil},
		"days that are no number":                               {map[string]string{"path": "one.html", "retention-days": "long"}, "::error::Invalid retention-days", false, nil},
		"a name that is a path":                                 {map[string]string{"path": "one.html", "name": "../a"}, "::error::The artifact name is not valid: ../a", false, nil},
		"a name that Windows does not take":                     {map[string]string{"path": "one.html", "name": `a\b`}, `::error::The artifact name is not valid: a\b`, false, nil},
		"a name that is taken":                                  {map[string]string{"path": "one.html", "name": "taken"}, "::error::an artifact with the name taken already exists on the workflow run", false, nil},
		"folders are beyond it":                                 {map[string]string{"path": "sub dir"}, "::error::the lab's stand-in takes files: sub dir is none", false, nil},
	} {
		t.Run(name, func(t *testing.T) {
			workspace, artifacts := t.TempDir(), t.TempDir()
			for _, folder := range []string{filepath.Join(workspace, "sub dir"), filepath.Join(artifacts, "taken")} {
				if err := os.Mkdir(folder, 0o755); err != nil {
					t.Fatal(err)
				}
			}
			for _, file := range []string{"one.html", "sub dir/run.json"} {
				if err := os.WriteFile(filepath.Join(workspace, file), []byte(file), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			says, ok := run(t, "upload-artifact", workspace, artifacts, test.with)
			if says != test.says || ok != test.ok {
				t.Errorf("it says %q, %v", says, ok)
			}
			paths, err := filepath.Glob(filepath.Join(artifacts, "*", "*"))
			if err != nil {
				t.Fatal(err)
			}
			var kept []string
			for _, path := range paths {
				kept = append(kept, strings.TrimPrefix(path, artifacts+"/"))
			}
			if diff := cmp.Diff(test.kept, kept); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestNoCredentialsAreHadInTheLab(t *testing.T) {
	for name, test := range map[string]struct{ role, region, says string }{
		"no region":      {"arn:aws:iam::123456789012:role/a", "", "::error::Input required and not supplied: aws-region"},
		"no region's":    {"arn:aws:iam::123456789012:role/a", "eu west", "::error::Region is not valid: eu west"},
		"no role":        {"", "eu-west-1", "::error::Could not load credentials: role-to-assume is empty"},
		"all that it is": {"arn:aws:iam::123456789012:role/a", "eu-west-1", "::error::Could not load credentials: the lab gives no job a token for OIDC; leave the variable with arn:aws:iam::123456789012:role/a empty"},
	} {
		t.Run(name, func(t *testing.T) {
			says, ok := run(t, "configure-aws-credentials", t.TempDir(), t.TempDir(), map[string]string{"role-to-assume": test.role, "aws-region": test.region})
			if ok || says != test.says {
				t.Errorf("it says %q, %v", says, ok)
			}
		})
	}
}
