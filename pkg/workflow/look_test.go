package workflow

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/org/promote/pkg/hostile"
	"github.com/org/promote/pkg/preflight"
)

// root is this very tree.
const root = "../.."

// checkout makes a checkout with these workflow files.
func checkout(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, ".github", "workflows", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// told gives all but what is good, one line each.
func told(findings []preflight.Finding) string {
	var b strings.Builder
	for _, f := range findings {
		if f.State != preflight.Good {
			b.WriteString(f.State.String() + ": " + f.Subject + ": " + f.Told + "; " + strings.ReplaceAll(f.Fix, "\n", " | ") + "\n")
		}
	}
	return b.String()
}

func look(t *testing.T, dir string) []preflight.Finding {
	t.Helper()
	return preflight.Run(t.Context(), Look(dir, root)).Findings
}

func TestOurOwnTemplatesHaveNotDrifted(t *testing.T) {
	files := map[string]string{}
	for _, name := range list(filepath.Join(root, "workflows-templates")) {
		text, err := os.ReadFile(filepath.Join(root, "workflows-templates", name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = string(text)
	}
	found := look(t, checkout(t, files))
	if text := told(found); text != "" {
		t.Errorf("found\n%s", text)
	}
	if len(found) < 7 {
		t.Errorf("only %d files were looked at: %+v", len(found), found)
	}
}

// production is a job as the template has it, and what a test puts in place of a part of it.
func production(replace ...string) string {
	return strings.NewReplacer(replace...).Replace(`on: {push: {branches: [main]}}
permissions: {}
jobs:
  canary-prod:
    runs-on: [self-hosted, promote-prod]
    timeout-minutes: 120
    permissions:
      contents: read
      deployments: write
      pull-requests: write
      statuses: write
    concurrency:
      group: prod
      cancel-in-progress: false
    steps:
      - uses: actions/checkout@v5
      - uses: org/promote/actions/canary@v1
        with:
          environment: prod
          service: checkout
          image: registry.example/checkout
          manifests: deploy
          steps: 5,25,100
`)
}

func TestDriftIsFoundWithItsLine(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"nothing":                        {production(), ""},
		"an input that is spelt wrongly": {production("steps: 5", "step: 5"), "to change: .github/workflows/w.yml:23: canary has no input \"step\", and GitHub only warns of that; write `steps`, or take it out\n"},
		"case makes no other input":      {production("steps: 5", "Steps: 5"), ""},
		"a required input that is gone":  {production("          service: checkout\n", ""), "to change: .github/workflows/w.yml:17: canary gets no input \"service\", which it requires; add `service` below its `with:`\n"},
		"a right that is gone":           {production("      statuses: write\n", ""), "to change: .github/workflows/w.yml:7: job canary-prod lacks rights that canary needs; add to its permissions: | statuses: write\n"},
		"a right to a role by OIDC":      {production("      statuses: write\n", "      statuses: write\n      id-token: write\n"), ""},
		"a right that is too little":     {production("statuses: write", "statuses: read"), "to change: .github/workflows/w.yml:7: job canary-prod lacks rights that canary needs; add to its permissions: | statuses: write\n"},
		"no rights but the file's own": {production("    permissions:\n      contents: read\n      deployments: write\n      pull-requests: write\n      statuses: write\n", ""),
			"to change: .github/workflows/w.yml:2: job canary-prod lacks rights that canary needs; add to its permissions: | contents: read | deployments: write | pull-requests: write | statuses: write\n"},
		"rights that nobody names": {production("permissions: {}\n", "", "    permissions:\n      contents: read\n      deployments: write\n      pull-requests: write\n      statuses: write\n", ""),
			"noted: .github/workflows/w.yml:3: job canary-prod names no permissions, so its token has those that the repository gives by default; add to the job: | permissions: |   contents: read |   deployments: write |   pull-requests: write |   statuses: write\n"},
		"all rights": {production("    permissions:\n      contents: read\n      deployments: write\n      pull-requests: write\n      statuses: write\n", "    permissions: write-all\n"), ""},
		"only rights to read": {production("    permissions:\n      contents: read\n      deployments: write\n      pull-requests: write\n      statuses: write\n", "    permissions: read-all\n"),
			"to change: .github/workflows/w.yml:7: job canary-prod lacks rights that canary needs; add to its permissions: | deployments: write | pull-requests: write | statuses: write\n"},
		"no time limit":                 {production("    timeout-minutes: 120\n", ""), "noted: .github/workflows/w.yml:4: job canary-prod has no time limit but GitHub's six hours; add `timeout-minutes: 120`\n"},
		"a canary that is cut off":      {production("in-progress: false", "in-progress: true"), "to change: .github/workflows/w.yml:14: the next run cancels job canary-prod in the middle of its deployment; set `cancel-in-progress: false`\n"},
		"a canary that may be cut off":  {production("in-progress: false", "in-progress: ${{ github.ref != 'x' }}"), "noted: .github/workflows/w.yml:14: whether the next run cancels job canary-prod in the middle of its deployment is up to an expression; set `cancel-in-progress: false`\n"},
		"recovering takes fewer rights": {production("steps: 5,25,100", "mode: recover", "      contents: read\n      deployments: write\n      pull-requests: write\n", ""), ""},
		"a mode that may be run": {production("steps: 5,25,100", "mode: ${{ inputs.mode || 'run' }}", "      statuses: write\n", ""),
			"to change: .github/workflows/w.yml:7: job canary-prod lacks rights that canary needs; add to its permissions: | statuses: write\n"},
		"a mode that nobody knows here": {production("steps: 5,25,100", "mode: ${{ inputs.mode }}", "      statuses: write\n", ""), ""},
		"another's action":              {production("org/promote/actions/canary@v1", "org/other/actions/canary@v1"), "not known: .github/workflows: no workflow that uses promote is in the checkout; put actions/checkout before this step\n"},
		"no YAML":                       {"jobs: [", "not known: .github/workflows/w.yml: it could not be read: line 1: did not find expected node content; \n"},
		"nothing at all":                {"", "not known: .github/workflows: no workflow that uses promote is in the checkout; put actions/checkout before this step\n"},
		"anchors and aliases": {production("    permissions:\n", "    permissions: &rights\n") +
			"  canary-two:\n    timeout-minutes: 5\n    permissions: *rights\n    steps: [{uses: org/promote/actions/build@v1, with: {image: x}}]\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, told(look(t, checkout(t, map[string]string{"w.yml": test.text})))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestVersionsThatDifferAreTold(t *testing.T) {
	dir := checkout(t, map[string]string{"a.yml": production(), "b.yaml": production("canary@v1", "canary@v2")})
	uses, _ := scan(dir)
	k, err := load(root)
	if err != nil {
		t.Fatal(err)
	}
	const fix = "; name one version everywhere; what one has written the others must read\n"
	for running, want := range map[string]string{
		"":   "noted: .github/workflows/b.yaml:17: canary is of version v2, and other steps are of v1" + fix,
		"v2": "noted: .github/workflows/a.yml:17: canary is of version v1, and this run is of v2" + fix,
	} {
		if diff := cmp.Diff(want, told(judge(uses, k, running))); diff != "" {
			t.Error(diff)
		}
	}
	for path, want := range map[string]string{
		"/home/runner/work/_actions/org/promote/v1": "v1", "/r/_actions/org/promote/releases/v1": "releases/v1", "/src/promote": "", "/r/_actions/org": "",
	} {
		if got := versionOf(path); got != want {
			t.Errorf("versionOf(%q) = %q, want %q", path, got, want)
		}
	}
}

func TestFilesOfAttackersAreBounded(t *testing.T) {
	t.Run("a bomb of aliases", func(t *testing.T) {
		bomb := "a: &a [x,x,x,x,x,x,x,x,x]\n"
		for i := range 9 {
			name, of := string(rune('b'+i)), string(rune('a'+i))
			bomb += name + ": &" + name + " [*" + strings.Repeat(of+",*", 8) + of + "]\n"
		}
		if got := told(look(t, checkout(t, map[string]string{"w.yml": bomb}))); !strings.Contains(got, "its aliases (*name) stand for more than 1 MiB") {
			t.Errorf("found %s", got)
		}
	})
	t.Run("an alias within itself", func(t *testing.T) {
		look(t, checkout(t, map[string]string{"w.yml": "jobs: &a {x: *a, y: {steps: *a}}\n"}))
	})
	t.Run("a link out of the checkout", func(t *testing.T) {
		dir := checkout(t, map[string]string{"a.yml": production()})
		outside := filepath.Join(t.TempDir(), "secret")
		if err := os.WriteFile(outside, []byte("jobs: [the secret"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(outside, filepath.Join(dir, ".github", "workflows", "b.yml")); err != nil {
			t.Fatal(err)
		}
		if got := told(look(t, dir)); !strings.Contains(got, "it leads out of") || strings.Contains(got, "secret") {
			t.Errorf("found %s", got)
		}
	})
	t.Run("one that is too large", func(t *testing.T) {
		if got := told(look(t, checkout(t, map[string]string{"w.yml": strings.Repeat("# x\n", fileCap/3)}))); !strings.Contains(got, "it has more than 1 MiB") {
			t.Errorf("found %s", got)
		}
	})
	for name, text := range hostile.Texts {
		t.Run(name, func(t *testing.T) { look(t, checkout(t, map[string]string{"w.yml": text})) })
	}
}

func TestWithoutItsOwnTreeNothingIsKnown(t *testing.T) {
	f := preflight.Run(t.Context(), Look(t.TempDir(), t.TempDir())).Findings
	if len(f) != 1 || f[0].State != preflight.Unknown || !strings.Contains(f[0].Told, "holds no actions") {
		t.Errorf("found %+v", f)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(production())
	f.Add("jobs: &a {x: *a}")
	f.Fuzz(func(t *testing.T, text string) {
		uses, err := parse("w.yml", []byte(text))
		if err == nil {
			judge(uses, known{inputs: map[string]map[string]bool{"canary": {"service": true}}, jobs: uses}, "v1")
		}
	})
}
