package arch

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// speaks are the configurations of what emits text beyond the log, and the fields that keep secrets out of it. A nil one is the
// identity, which tests of those packages want and no action may have.
var speaks = map[string][]string{
	"cluster.Config": {"Redact", "Warn"},
	"github.Config":  {"Redact"},
	"gate.Gate":      {"Redact"},
}

func TestActionsRedactWhereverTheySpeak(t *testing.T) {
	files, err := filepath.Glob("../../actions/*/*.go")
	shared, errShared := filepath.Glob("../../pkg/job/*.go")
	if err := errors.Join(err, errShared); err != nil {
		t.Fatal(err)
	}
	files = append(files, shared...)
	found := map[string]int{}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(node ast.Node) bool {
			literal, ok := node.(*ast.CompositeLit)
			if !ok {
				return true
			}
			kind, fields := describe(literal)
			for _, want := range speaks[kind] {
				found[kind]++
				if !slices.Contains(fields, want) {
					t.Errorf("%s: a %s has no %s, so secrets would go out unmasked", file, kind, want)
				}
			}
			return true
		})
	}
	for kind := range speaks {
		if found[kind] == 0 {
			t.Errorf("no action has a %s; the rule would hold for nothing", kind)
		}
	}
}

// describe gives a literal's type as package.Name, and the fields that it sets.
func describe(literal *ast.CompositeLit) (kind string, fields []string) {
	if selector, ok := literal.Type.(*ast.SelectorExpr); ok {
		if in, ok := selector.X.(*ast.Ident); ok {
			kind = in.Name + "." + selector.Sel.Name
		}
	}
	for _, element := range literal.Elts {
		if pair, ok := element.(*ast.KeyValueExpr); ok {
			if key, ok := pair.Key.(*ast.Ident); ok {
				fields = append(fields, key.Name)
			}
		}
	}
	return kind, fields
}
