package docs

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
)

const root = "../.."

func load(t *testing.T) []Page {
	t.Helper()
	pages, err := Load(root)
	if err != nil {
		t.Fatal(err)
	}
	return pages
}

func exists(path string) bool {
	found, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(path)))
	return err == nil && len(found) > 0
}

func TestEveryLinkLeadsSomewhere(t *testing.T) {
	anchors := map[string]map[string]bool{}
	pages := load(t)
	for _, p := range pages {
		anchors[p.Path] = p.Anchors()
	}
	for _, p := range pages {
		for _, l := range p.Links() {
			target := p.Path
			if l.Path != "" {
				target = filepath.ToSlash(filepath.Join(filepath.Dir(p.Path), l.Path))
			}
			if !exists(target) {
				t.Errorf("%s:%d: there is no %s", p.Path, l.Line, target)
			} else if l.Anchor != "" && !anchors[target][l.Anchor] {
				t.Errorf("%s:%d: %s has no heading #%s", p.Path, l.Line, target, l.Anchor)
			}
		}
	}
}

// ours is a path of this repository, as pages write it in inline code.
var ours = regexp.MustCompile(`^(actions|pkg|docs|lab|hack|examples|workflows-templates|internal)/[\w./*-]+$`)

// githubs are actions of GitHub's own, which begin like a folder of ours.
var githubs = regexp.MustCompile(`^actions/(checkout|setup-go|setup-node|setup-python|upload-artifact|download-artifact)$`)

// Pages name files from the root, whichever folder they are in themselves.
func TestEveryFileThatAPageNamesIsThere(t *testing.T) {
	for _, p := range load(t) {
		for line, all := range p.Code() {
			for _, code := range all {
				if ours.MatchString(code) && !githubs.MatchString(code) && !exists(code) {
					t.Errorf("%s:%d: there is no %s", p.Path, line, code)
				}
			}
		}
	}
}

// tests are the names of all test functions of this repository, its other modules included.
var tests = sync.OnceValues(func() (map[string]bool, error) {
	names := map[string]bool{}
	function := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Benchmark)\w+)\(`)
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		// The guide's own tests are in its page.
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, "_test.go") && entry.Name() != "extending.md" {
			return err
		}
		source, err := os.ReadFile(path)
		for _, found := range function.FindAllSubmatch(source, -1) {
			names[string(found[1])] = true
		}
		return err
	})
	return names, err
})

// hasTest says whether there is a test of that name, or with a name that begins so.
func hasTest(t *testing.T, name string, prefix bool) bool {
	t.Helper()
	names, err := tests()
	if err != nil {
		t.Fatal(err)
	}
	for have := range names {
		if have == name || prefix && strings.HasPrefix(have, name) {
			return true
		}
	}
	return false
}

// What a page promises is held by the test that it names.
func TestEveryTestThatAPageNamesIsThere(t *testing.T) {
	named := regexp.MustCompile(`^((?:Test|Fuzz|Benchmark)[A-Z]\w+)(…?)$`)
	for _, p := range load(t) {
		for line, all := range p.Code() {
			for _, code := range all {
				if found := named.FindStringSubmatch(code); found != nil && !hasTest(t, found[1], found[2] != "") {
					t.Errorf("%s:%d: there is no test %s", p.Path, line, code)
				}
			}
		}
	}
}

// A reader who begins at the README must find every page.
func TestEveryPageIsLinked(t *testing.T) {
	linked := map[string]bool{"README.md": true}
	pages := load(t)
	for _, p := range pages {
		for _, l := range p.Links() {
			linked[filepath.ToSlash(filepath.Join(filepath.Dir(p.Path), l.Path))] = true
		}
	}
	for _, p := range pages {
		if !linked[p.Path] && !linked[filepath.ToSlash(filepath.Dir(p.Path))] {
			t.Errorf("%s: no page links to it", p.Path)
		}
	}
}

func TestAHeadingsAnchor(t *testing.T) {
	p := Page{Text: "# One, two: `three`\n## Twice\n## Twice\n```\n# no heading\n```\n### A [link](b.md)\n"}
	got := p.Anchors()
	for _, want := range []string{"one-two-three", "twice", "twice-1", "a-link"} {
		if !got[want] {
			t.Errorf("there is no #%s in %v", want, got)
		}
	}
	if len(got) != 4 {
		t.Errorf("got %v", got)
	}
}

// Every right that a role gives is explained.
func TestEveryRightIsExplained(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(root, "docs", "rbac.md"))
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(root, "docs", "role*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("found no roles (%v)", err)
	}
	resources := regexp.MustCompile(`(?m)^\s+resources: \[(.*)\]$`)
	for _, file := range files {
		role, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, rule := range resources.FindAllSubmatch(role, -1) {
			for _, resource := range strings.Split(string(rule[1]), ", ") {
				about := "`" + resource + "`"
				// What binds the preview's role is told in words.
				if resource != "rolebindings" && resource != "clusterroles" && !strings.Contains(string(page), about) {
					t.Errorf("docs/rbac.md does not say what %s gives %s for", filepath.Base(file), about)
				}
			}
		}
	}
}

// names finds what a pattern captures in a file.
func names(t *testing.T, file, pattern string) []string {
	t.Helper()
	source, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, found := range regexp.MustCompile(pattern).FindAllSubmatch(source, -1) {
		all = append(all, string(found[1]))
	}
	if len(all) < 3 {
		t.Fatalf("%s: only %q were found", file, all)
	}
	return all
}

func TestEveryBuilderIsExplained(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(root, "actions", "build", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, builder := range names(t, "pkg/image/builder.go", `(?m)^\t\{"([a-z]+)", From`) {
		if !strings.Contains(string(page), "\n| `"+builder+"` |") {
			t.Errorf("actions/build/README.md has no row for builder %s", builder)
		}
	}
}

func TestEveryMonitorIsExplained(t *testing.T) {
	for _, p := range load(t) {
		if p.Path != "docs/monitors.md" {
			continue
		}
		for _, monitor := range names(t, "actions/canary/monitor.go", `(?m)^\t[a-zA-Z]+ += "([a-z]+)"$`) {
			if !p.Anchors()[monitor] {
				t.Errorf("docs/monitors.md has no part about %s", monitor)
			}
		}
	}
}
