package arch

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// processWide are what belongs to the whole process. In an action main.go takes them and hands them on; libraries get them as
// arguments, or a test could not give others.
var processWide = []string{
	"os.Exit", "os.Getenv", "os.LookupEnv", "os.Environ", "os.Setenv", "os.Unsetenv", "os.ExpandEnv",
	"os.Stdout", "os.Stderr", "os.Stdin", "os.Args",
	"fmt.Print", "fmt.Println", "fmt.Printf", "log.Print", "log.Println", "log.Printf", "log.Fatal", "log.Fatalf", "log.Fatalln",
}

func TestOnlyMainTouchesTheProcess(t *testing.T) {
	for _, p := range packages(t) {
		library := strings.HasPrefix(p.short(), "pkg/")
		action := strings.HasPrefix(p.short(), "actions/")
		for _, name := range p.GoFiles {
			if !library && (!action || name == "main.go") {
				continue
			}
			file := filepath.Join(p.Dir, name)
			for _, use := range usesOf(t, file, processWide) {
				t.Errorf("%s; only an action's main.go may: take it as an argument", use)
			}
		}
	}
}

func TestMainIsWiringOnly(t *testing.T) {
	for _, p := range packages(t) {
		if !strings.HasPrefix(p.short(), "actions/") {
			continue
		}
		if !slices.Contains(p.GoFiles, "main.go") {
			t.Errorf("%s has no main.go", p.short())
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, "main.go"), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Errorf("%s: %v", p.short(), err)
			continue
		}
		for _, declared := range file.Decls {
			if f, ok := declared.(*ast.FuncDecl); ok && f.Name.Name != "main" {
				t.Errorf("%s/main.go declares %s; it holds main alone, the rest stands in a file named for its stage", p.short(), f.Name.Name)
			}
		}
	}
}

// usesOf finds uses of package-level names such as os.Exit in a file, with their place.
func usesOf(t *testing.T, path string, names []string) []string {
	t.Helper()
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Errorf("parsing %s: %v", path, err)
		return nil
	}
	var uses []string
	ast.Inspect(file, func(n ast.Node) bool {
		selector, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if x, ok := selector.X.(*ast.Ident); ok && slices.Contains(names, x.Name+"."+selector.Sel.Name) && imports(file, x.Name) {
			uses = append(uses, set.Position(selector.Pos()).String()+" uses "+x.Name+"."+selector.Sel.Name)
		}
		return true
	})
	return uses
}

// imports says whether a name is that of a package the file imports, and not of a variable.
func imports(file *ast.File, name string) bool {
	return slices.ContainsFunc(file.Imports, func(i *ast.ImportSpec) bool {
		return i.Name == nil && strings.Trim(i.Path.Value, `"`) == name
	})
}
