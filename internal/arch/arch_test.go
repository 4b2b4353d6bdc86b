package arch

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/org/promote/"

// listed is what `go list -json` says about a package.
type listed struct {
	ImportPath, Dir, Doc      string
	Imports, Deps             []string
	GoFiles                   []string
	TestImports, XTestImports []string
}

// short is the path below the module, for instance pkg/gha.
func (l listed) short() string { return strings.TrimPrefix(l.ImportPath, module) }

// packages lists all packages of the module.
func packages(t *testing.T) []listed {
	t.Helper()
	// -e: a package that does not build at the moment is still a package; building is another test's affair.
	list := exec.Command("go", "list", "-e", "-json=ImportPath,Dir,Doc,Imports,Deps,GoFiles,TestImports,XTestImports", "./...")
	list.Dir = filepath.Join("..", "..")
	out, err := list.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("listing packages: %v\n%s", err, exit.Stderr)
		}
		t.Fatalf("listing packages: %v", err)
	}
	var all []listed
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var one listed
		if err := decoder.Decode(&one); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("reading go list's answer: %v", err)
		}
		all = append(all, one)
	}
	if len(all) < 5 {
		t.Fatalf("go list found %d packages; the rules would hold for nothing", len(all))
	}
	return all
}

// homes says which packages may import an SDK by themselves. Everybody else asks these.
var homes = map[string][]string{
	"k8s.io/client-go/":                       {"pkg/cluster"},
	"k8s.io/klog/":                            {"pkg/cluster"},
	"github.com/fluxcd/cli-utils/":            {"pkg/cluster"},
	"k8s.io/apimachinery/":                    {"pkg/cluster", "pkg/release", "pkg/manifest", "pkg/traffic"},
	"k8s.io/api/":                             {"pkg/cluster", "pkg/release", "pkg/manifest", "pkg/traffic"},
	"sigs.k8s.io/kustomize/api/":              {"pkg/manifest"},
	"sigs.k8s.io/kustomize/kyaml/":            {"pkg/manifest", "internal/actiondoc"},
	"github.com/Masterminds/sprig/":           {"pkg/manifest"},
	"github.com/aws/":                         {"pkg/amazon", "pkg/secrets", "pkg/evidence", "pkg/image", "pkg/eks", "pkg/metrics", "pkg/traffic"}, // evidence: KMS; image: ECR; metrics: CloudWatch; traffic: Route 53 and ELB
	"github.com/secure-systems-lab/":          {"pkg/evidence"},
	"github.com/sigstore/":                    {"pkg/evidence"},
	"github.com/google/go-github/":            {"pkg/github"},
	"github.com/google/go-containerregistry/": {"pkg/image"},
	"github.com/CycloneDX/":                   {"pkg/sbom"},
	"github.com/package-url/":                 {"pkg/sbom"},
	"github.com/in-toto/":                     {"pkg/evidence", "pkg/provenance"},
	"github.com/klauspost/compress/":          {"pkg/contents", "pkg/image"},
	"github.com/DataDog/":                     {"pkg/metrics"},
	"github.com/prometheus/":                  {"pkg/metrics"},
	"github.com/sethvargo/go-githubactions":   {"pkg/gha"},
}

// pure are the packages that decide: values in, values out. They may know nothing that reaches out, however deep below.
// pkg/rollout is whole in here, its edge too: what it does to a cluster or asks of a monitor goes through its interfaces.
var pure = []string{"pkg/change", "pkg/mask", "pkg/report", "pkg/rollout", "pkg/verdict"}

func TestActionsAreImportedByNobody(t *testing.T) {
	for _, p := range packages(t) {
		for _, imported := range slices.Concat(p.Imports, p.TestImports, p.XTestImports) {
			if strings.HasPrefix(imported, module+"actions/") {
				t.Errorf("%s imports %s; what two actions share belongs in pkg", p.short(), imported)
			}
		}
	}
}

func TestDependenciesPointFromActionsToPkg(t *testing.T) {
	for _, p := range packages(t) {
		for _, imported := range slices.Concat(p.Imports, p.TestImports, p.XTestImports) {
			below, ours := strings.CutPrefix(imported, module)
			switch {
			case !ours:
			case strings.HasPrefix(below, "lab/") || below == "lab":
				t.Errorf("%s imports %s; the lab is for the demo and the end-to-end tests alone", p.short(), imported)
			case strings.HasPrefix(p.short(), "pkg/") && !strings.HasPrefix(below, "pkg/"):
				t.Errorf("%s imports %s; pkg may import pkg only", p.short(), imported)
			}
		}
	}
}

func TestEachSDKHasOneHome(t *testing.T) {
	all := packages(t)
	for sdk, allowed := range homes {
		for _, p := range all {
			for _, imported := range p.Imports {
				if strings.HasPrefix(imported, sdk) && !slices.Contains(allowed, p.short()) {
					t.Errorf("%s imports %s; only %s may: ask that package for what is missing", p.short(), imported, strings.Join(allowed, ", "))
				}
			}
		}
	}
}

func TestPackagesThatDecideReachNothing(t *testing.T) {
	all := packages(t)
	for _, name := range pure {
		if !slices.ContainsFunc(all, func(p listed) bool { return p.short() == name }) {
			t.Errorf("there is no package %s; the rule would hold for nothing", name)
		}
	}
	for _, p := range all {
		if !slices.Contains(pure, p.short()) {
			continue
		}
		for _, dep := range p.Deps {
			first, _, _ := strings.Cut(dep, "/")
			outside := strings.Contains(first, ".") && !strings.HasPrefix(dep, module)
			if outside || dep == "net/http" || dep == "os/exec" {
				t.Errorf("%s depends on %s; it must stay a function of its arguments", p.short(), dep)
			}
		}
	}
}

// heavy are packages that an action must not link, with the reason. They cost megabytes and milliseconds on every runner.
var heavy = map[string]map[string]string{
	"actions/unit-test": {"k8s.io/": "it never meets a cluster", "sigs.k8s.io/": "it never meets a cluster", "github.com/aws/": "it never meets AWS"},
	"actions/build":     {"k8s.io/": "it never meets a cluster", "sigs.k8s.io/": "it never meets a cluster"},
	"actions/deploy":    clientsets,
	"actions/canary":    clientsets,
}

// clientsets bring every version of every API group.
var clientsets = map[string]string{
	"k8s.io/client-go/kubernetes": "pkg/cluster's Kinds are the kinds that are asked for", "k8s.io/client-go/applyconfigurations": "applied are objects of any kind",
	"k8s.io/client-go/discovery": "pkg/cluster has a mapper",
}

func TestActionsLinkNothingHeavyThatTheyDoNotNeed(t *testing.T) {
	all := packages(t)
	for action, unwanted := range heavy {
		at := slices.IndexFunc(all, func(p listed) bool { return p.short() == action })
		if at < 0 {
			t.Errorf("there is no package %s; the rule would hold for nothing", action)
			continue
		}
		for _, dep := range all[at].Deps {
			for prefix, reason := range unwanted {
				if dep == prefix || strings.HasPrefix(dep, strings.TrimSuffix(prefix, "/")+"/") {
					t.Errorf("%s links %s: %s; `go list -deps` tells who imports it", action, dep, reason)
				}
			}
		}
	}
}

func TestEveryPackageSaysWhatItIsFor(t *testing.T) {
	for _, p := range packages(t) {
		owned := slices.ContainsFunc([]string{"pkg/", "actions/", "internal/"}, func(root string) bool { return strings.HasPrefix(p.short(), root) })
		if owned && len(p.GoFiles) > 0 && strings.TrimSpace(p.Doc) == "" {
			t.Errorf("%s has no package doc; say what it is for, what it refuses, and give an example", p.short())
		}
	}
}
