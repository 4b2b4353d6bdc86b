package manifest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"testing"
)

// TestNamesAreThoseOfPackageCluster reads package cluster's source: importing it would link a Kubernetes client.
func TestNamesAreThoseOfPackageCluster(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../cluster/labels.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	theirs := map[string]string{}
	ast.Inspect(file, func(node ast.Node) bool {
		spec, ok := node.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 {
			return true
		}
		if literal, ok := spec.Values[0].(*ast.BasicLit); ok {
			if theirs[spec.Names[0].Name], err = strconv.Unquote(literal.Value); err != nil {
				t.Fatal(err)
			}
		}
		return true
	})
	for name, ours := range map[string]string{
		"LabelService": labelService, "LabelRelease": labelRelease, "LabelEnvironment": labelEnvironment, "LabelServe": labelServe,
		"AnnotationCommit": annotationCommit, "AnnotationDigest": annotationDigest, "AnnotationRun": annotationRun,
	} {
		if theirs[name] != ours {
			t.Errorf("cluster.%s is %q, here it is %q", name, theirs[name], ours)
		}
	}
}
