package terraform

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
)

const (
	folder = "../../examples/aws"
	root   = "../.."
)

// parse reads all files of the example; the key is the file's name.
func parse(t *testing.T) map[string]*hclsyntax.Body {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(folder, "*.tf"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("there is no *.tf in %s (%v)", folder, err)
	}
	bodies := map[string]*hclsyntax.Body{}
	for _, path := range paths {
		source, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		file, problems := hclsyntax.ParseConfig(source, filepath.Base(path), hcl.InitialPos)
		if problems.HasErrors() {
			t.Fatal(problems)
		}
		if formatted := hclwrite.Format(source); string(formatted) != string(source) {
			t.Errorf("%s is not formatted: run terraform fmt", path)
		}
		bodies[filepath.Base(path)] = file.Body.(*hclsyntax.Body)
	}
	return bodies
}

// What is named must be declared: a misspelt variable or resource would be found at the user's `terraform plan`.
func TestEveryNameIsDeclared(t *testing.T) {
	bodies := parse(t)
	declared := map[string]bool{}
	for _, body := range bodies {
		for _, block := range body.Blocks {
			switch block.Type {
			case "variable":
				declared["var."+block.Labels[0]] = true
			case "resource":
				declared[strings.Join(block.Labels, ".")] = true
			case "data":
				declared["data."+strings.Join(block.Labels, ".")] = true
			case "locals":
				for name := range block.Body.Attributes {
					declared["local."+name] = true
				}
			}
		}
	}
	used := map[string]bool{}
	for file, body := range bodies {
		_ = hclsyntax.VisitAll(body, func(node hclsyntax.Node) hcl.Diagnostics {
			expression, ok := node.(*hclsyntax.ScopeTraversalExpr)
			if !ok {
				return nil
			}
			name := reference(expression.Traversal)
			if name == "" {
				return nil
			}
			used[name] = true
			if !declared[name] {
				t.Errorf("%s:%d: nothing declares %s", file, expression.SrcRange.Start.Line, name)
			}
			return nil
		})
	}
	for name := range declared {
		if strings.HasPrefix(name, "var.") && !used[name] {
			t.Errorf("nothing uses %s", name)
		}
	}
}

// reference is the name of what a traversal begins at; "" for what a loop or a type brings.
func reference(traversal hcl.Traversal) string {
	parts := []string{traversal.RootName()}
	for _, step := range traversal[1:] {
		if attribute, ok := step.(hcl.TraverseAttr); ok {
			parts = append(parts, attribute.Name)
		}
	}
	switch {
	case parts[0] == "var" || parts[0] == "local":
		return strings.Join(parts[:2], ".")
	case parts[0] == "data":
		return strings.Join(parts[:3], ".")
	case strings.HasPrefix(parts[0], "aws_"):
		return strings.Join(parts[:2], ".")
	}
	return ""
}

// unseen are rights that no call in the code shows, and what takes them.
var unseen = map[string]string{
	"ecr:BatchCheckLayerAvailability": "pushing", "ecr:InitiateLayerUpload": "pushing", "ecr:UploadLayerPart": "pushing",
	"ecr:CompleteLayerUpload": "pushing", "ecr:PutImage": "pushing", "ecr:BatchGetImage": "reading manifests and referrers",
	"ecr:GetDownloadUrlForLayer": "reading layers and evidence", "kms:Decrypt": "secrets under a key of one's own",
	"aps:QueryMetrics": "signed requests to Amazon Managed Prometheus", "sts:AssumeRole": "trust", "sts:AssumeRoleWithWebIdentity": "trust",
}

// free are calls that take no right.
var free = []string{"sts:GetCallerIdentity"}

// elsewhere are calls whose rights no example gives, and why.
var elsewhere = map[string]string{"ecrpublic:GetAuthorizationToken": "images in public.ecr.aws"}

// The policies allow what the code calls and nothing beyond.
func TestThePoliciesAreWhatTheCodeCalls(t *testing.T) {
	granted := map[string]bool{}
	for _, body := range parse(t) {
		_ = hclsyntax.VisitAll(body, func(node hclsyntax.Node) hcl.Diagnostics {
			attribute, ok := node.(*hclsyntax.Attribute)
			if !ok || attribute.Name != "actions" {
				return nil
			}
			value, problems := attribute.Expr.Value(nil)
			if problems.HasErrors() {
				t.Fatal(problems)
			}
			for _, action := range value.AsValueSlice() {
				granted[action.AsString()] = true
			}
			return nil
		})
	}
	called := calls(t)
	for _, action := range slices.Sorted(maps.Keys(called)) {
		if !granted[action] && !slices.Contains(free, action) && elsewhere[action] == "" {
			t.Errorf("%s calls %s, which no policy in %s allows: add it there, and to docs/aws.md", called[action], action, folder)
		}
	}
	for _, action := range slices.Sorted(maps.Keys(granted)) {
		if called[action] == "" && unseen[action] == "" {
			t.Errorf("a policy in %s allows %s, and nothing calls that", folder, action)
		}
	}
}

// calls are the operations of AWS that the code asks for, with a file that does.
func calls(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "pkg", "*", "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("found no code (%v)", err)
	}
	names := map[string]string{"elasticloadbalancingv2": "elasticloadbalancing"}
	operation := regexp.MustCompile(`\b([a-z0-9]+)\.([A-Z]\w+)Input\{`)
	imports := regexp.MustCompile(`([a-z0-9]*) ?"github.com/aws/aws-sdk-go-v2/service/([a-z0-9]+)"`)
	called := map[string]string{}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		services := map[string]string{} // by the name that the file gives them
		for _, found := range imports.FindAllStringSubmatch(string(source), -1) {
			services[found[1]], services[found[2]] = found[2], found[2]
		}
		for _, found := range operation.FindAllStringSubmatch(string(source), -1) {
			service := services[found[1]]
			if service == "" {
				continue
			}
			if names[service] != "" {
				service = names[service]
			}
			called[service+":"+found[2]] = file
		}
	}
	if len(called) < 8 {
		t.Errorf("only %d operations of AWS were found in the code: %v", len(called), called)
	}
	return called
}

// PROMOTE_TERRAFORM=1 lets this fetch the provider; its schema knows what no parser does.
func TestTerraformFindsItValid(t *testing.T) {
	if os.Getenv("PROMOTE_TERRAFORM") == "" {
		t.Skip("set PROMOTE_TERRAFORM=1 where terraform may fetch the AWS provider")
	}
	work := filepath.Join(t.TempDir(), "aws")
	if err := os.CopyFS(work, os.DirFS(folder)); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"init", "-backend=false", "-input=false"}, {"validate"}} {
		cmd := exec.CommandContext(t.Context(), "terraform", append([]string{"-chdir=" + work}, args...)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("terraform %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}
