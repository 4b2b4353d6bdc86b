package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// eachAction runs a test for every action of the repository.
func eachAction(t *testing.T, test func(t *testing.T, dir string, a action)) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "..", "actions", "*", "action.yml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("found no action.yml (%v)", err)
	}
	for _, file := range files {
		a, err := load(file)
		if err != nil {
			t.Error(err)
			continue
		}
		t.Run(filepath.Base(filepath.Dir(file)), func(t *testing.T) { test(t, filepath.Dir(file), a) })
	}
}

func TestREADMEsAreUpToDate(t *testing.T) {
	eachAction(t, func(t *testing.T, dir string, _ action) {
		old, fresh, err := document(filepath.Join(dir, "action.yml"), filepath.Join(dir, "README.md"))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(fresh), string(old)); diff != "" {
			t.Errorf("README.md is out of date; run `make generate` (- wanted, + is there):\n%s", diff)
		}
	})
}

func TestEverythingIsDescribed(t *testing.T) {
	eachAction(t, func(t *testing.T, _ string, a action) {
		if a.Name == "" || a.Description == "" {
			t.Error("name and description must be there")
		}
		if a.Branding.Icon == "" || a.Branding.Color == "" {
			t.Error("branding must have an icon and a color")
		}
		for _, each := range slices.Concat(a.Inputs, a.Outputs) {
			if strings.TrimSpace(each.Description) == "" {
				t.Errorf("%s has no description", each.Name)
			}
			if !regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`).MatchString(each.Name) {
				t.Errorf("%s is not in kebab-case", each.Name)
			}
		}
	})
}

// The shell would run whatever a pull request's title holds.
func TestNoExpressionStandsInARunLine(t *testing.T) {
	eachAction(t, func(t *testing.T, dir string, a action) {
		if a.Runs.Using != "composite" || len(a.Runs.Steps) != 1 {
			t.Fatalf("runs.using is %q with %d steps; an action is a composite with the one step that runs install.sh", a.Runs.Using, len(a.Runs.Steps))
		}
		step := a.Runs.Steps[0]
		if strings.Contains(step.Run, "${{") {
			t.Errorf("run: holds an expression: %s", step.Run)
		}
		if want := `exec "$GITHUB_ACTION_PATH/../install.sh" ` + filepath.Base(dir); strings.TrimSpace(step.Run) != want {
			t.Errorf("run: is %q, want %q", step.Run, want)
		}
		if step.Shell != "bash" {
			t.Errorf("shell: is %q, want bash", step.Shell)
		}
	})
}

// GitHub gives a composite's steps no INPUT_* by itself (act does, so nothing else would show that one is missing).
func TestInputsAreWhatTheEnvMapHandsOn(t *testing.T) {
	eachAction(t, func(t *testing.T, _ string, a action) {
		want := map[string]string{}
		for _, in := range a.Inputs {
			want["INPUT_"+strings.ToUpper(strings.ReplaceAll(in.Name, "-", "_"))] = "${{ inputs." + in.Name + " }}"
		}
		if diff := cmp.Diff(want, a.Runs.Steps[0].Env); diff != "" {
			t.Errorf("env: is not the map of all inputs (- wanted, + is there):\n%s", diff)
		}
	})
}

func TestInputsAreWhatTheCodeReads(t *testing.T) {
	eachAction(t, func(t *testing.T, dir string, a action) {
		declared := map[string]bool{}
		for _, in := range a.Inputs {
			declared[in.Name] = true
		}
		read := firstArguments(t, dir, map[string]bool{
			"String": true, "Required": true, "Secret": true, "Bool": true, "Int": true, "Duration": true, "List": true, "OneOf": true,
		}, "in")
		compareNames(t, "input", declared, read)
	})
}

func TestRequiredInputsAreThoseTheCodeRequires(t *testing.T) {
	eachAction(t, func(t *testing.T, dir string, a action) {
		required := firstArguments(t, dir, map[string]bool{"Required": true, "Secret": true}, "in")
		for _, in := range a.Inputs {
			if in.Required && !required[in.Name] {
				t.Errorf("input %s is required in action.yml, which GitHub does not enforce, and the code does not ask for it with Required", in.Name)
			}
			if !in.Required && in.Default == "" && required[in.Name] {
				t.Errorf("input %s has no default and the code requires it; say required: true", in.Name)
			}
		}
	})
}

func TestOutputsAreWhatTheCodeSets(t *testing.T) {
	eachAction(t, func(t *testing.T, dir string, a action) {
		source := allSource(t, dir)
		id := a.Runs.Steps[0].ID
		for _, out := range a.Outputs {
			if want := "${{ steps." + id + ".outputs." + out.Name + " }}"; out.Value != want {
				t.Errorf("output %s has the value %q, want %q", out.Name, out.Value, want)
			}
			if !strings.Contains(source, strconv.Quote(out.Name)) {
				t.Errorf("output %s stands nowhere in the code", out.Name)
			}
		}
		for name := range firstArguments(t, dir, map[string]bool{"SetOutput": true}, "") {
			if !slices.ContainsFunc(a.Outputs, func(e entry) bool { return e.Name == name }) {
				t.Errorf("the code sets output %s, which action.yml does not declare", name)
			}
		}
	})
}

func compareNames(t *testing.T, what string, declared, read map[string]bool) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(declared)) {
		if !read[name] {
			t.Errorf("%s %s is declared in action.yml and nothing reads it", what, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(read)) {
		if !declared[name] {
			t.Errorf("%s %s is read and not declared in action.yml", what, name)
		}
	}
}

// firstArguments gives the string literals that are the first argument of calls to methods with one of the names, on the
// variable receiver or, if that is "", on anything.
func firstArguments(t *testing.T, dir string, methods map[string]bool, receiver string) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	for _, file := range sources(t, dir) {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) == 0 {
				return true
			}
			method, ok := call.Fun.(*ast.SelectorExpr)
			if !ok || !methods[method.Sel.Name] {
				return true
			}
			if x, ok := method.X.(*ast.Ident); receiver != "" && (!ok || x.Name != receiver) {
				return true
			}
			if literal, ok := call.Args[0].(*ast.BasicLit); ok && literal.Kind == token.STRING {
				name, _ := strconv.Unquote(literal.Value)
				found[name] = true
			}
			return true
		})
	}
	return found
}

// sources are an action's files, and those of pkg/job when it has its inputs from there.
func sources(t *testing.T, dir string) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	if slices.ContainsFunc(all, imports(t, "github.com/org/promote/pkg/job")) {
		shared, err := filepath.Glob(filepath.Join(dir, "..", "..", "pkg", "job", "*.go"))
		if err != nil || len(shared) == 0 {
			t.Fatalf("found nothing of pkg/job (%v)", err)
		}
		all = append(all, shared...)
	}
	return slices.DeleteFunc(all, func(name string) bool { return strings.HasSuffix(name, "_test.go") })
}

func allSource(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	for _, file := range sources(t, dir) {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(data)
	}
	return b.String()
}

// imports says whether a file imports a package.
func imports(t *testing.T, path string) func(file string) bool {
	return func(file string) bool {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		return slices.ContainsFunc(parsed.Imports, func(i *ast.ImportSpec) bool { return i.Path.Value == strconv.Quote(path) })
	}
}
