package docs

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/go-cmp/cmp"
)

// checks say of each program how a command of it in a page is checked. What runs needs a cluster, an account or minutes, is run by
// the lab's tests (TestTheCommandsOfThePages) or by what the page itself says; here it is held against what is there.
var checks = map[string]func(t *testing.T, where string, c Command){
	"make": checkMake, "go": checkGo, "kubectl": checkFiles, "aws": checkAWS, "terraform": checkTerraform, "cp": checkFiles, "cosign": checkFiles,
}

// plain are programs with nothing in them that this repository could break.
var plain = []string{"git", "gh", "curl", "export", "cd", "mkdir", "kill", "cat", "source", ".", "helm", "python3", "sudo", "docker", "sed", "diff", "sha256sum"}

func TestEveryCommandOfAPageIsChecked(t *testing.T) {
	count := 0
	for _, p := range load(t) {
		for _, b := range p.Blocks() {
			if b.Language != "sh" && b.Language != "bash" {
				continue
			}
			for _, c := range b.Commands() {
				count++
				where := p.Path + ":" + strconv.Itoa(c.Line)
				check, known := checks[c.Words[0]]
				switch {
				case known:
					check(t, where, c)
				case strings.HasPrefix(c.Words[0], "./") || slices.Contains(plain, c.Words[0]):
				default:
					t.Errorf("%s: nobody checks commands of %q; say here how", where, c.Words[0])
				}
			}
		}
	}
	if count < 20 {
		t.Errorf("only %d commands: are they still found?", count)
	}
}

// Commands stand in sentences too: those of make are the ones that go stale.
func TestEveryTargetOfMakeThatAPageNamesIsThere(t *testing.T) {
	for _, p := range load(t) {
		for line, all := range p.Code() {
			for _, code := range all {
				for _, words := range sentences(code) {
					for len(words) > 0 && isAssignment(words[0]) {
						words = words[1:]
					}
					if len(words) > 1 && words[0] == "make" {
						checkMake(t, p.Path+":"+strconv.Itoa(line), Command{Words: words})
					}
				}
			}
		}
	}
}

func checkMake(t *testing.T, where string, c Command) {
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	words := c.Words[1:]
	if len(words) > 1 && words[0] == "-C" {
		words = words[2:]
	}
	for _, word := range words {
		pattern := `(?m)^` + regexp.QuoteMeta(word) + `:`
		if isAssignment(word) {
			name, _, _ := strings.Cut(word, "=")
			pattern = `\b` + name + `\b`
		}
		if !regexp.MustCompile(pattern).Match(makefile) {
			t.Errorf("%s: the Makefile has no %s", where, word)
		}
	}
}

// checkGo holds `go test` and `go run` against the packages and tests of the repository. Examples have modules of their own: what
// they are told to run is run by their own tests.
func checkGo(t *testing.T, where string, c Command) {
	for i, word := range c.Words {
		if path, found := strings.CutPrefix(word, "github.com/org/promote/"); found {
			path, _, _ = strings.Cut(path, "@")
			if !exists(path) {
				t.Errorf("%s: there is no package %s", where, path)
			}
		}
		if path, found := strings.CutPrefix(word, "./"); found && path != "..." && !exists(strings.TrimSuffix(path, "/...")) && !exists("examples/*/"+strings.TrimSuffix(path, "/...")) && !exists("lab/"+path) {
			t.Errorf("%s: there is no package %s", where, word)
		}
		if c.Words[1] == "test" && word == "-run" && i+1 < len(c.Words) {
			for _, name := range strings.Split(c.Words[i+1], "|") {
				if !hasTest(t, strings.Trim(name, "^$"), true) {
					t.Errorf("%s: there is no test %s", where, name)
				}
			}
		}
	}
}

// checkFiles looks for the files of this repository among the arguments.
func checkFiles(t *testing.T, where string, c Command) {
	for _, word := range c.Words[1:] {
		word = beside(word)
		if ours.MatchString(word) && !exists(word) {
			t.Errorf("%s: there is no %s", where, word)
		}
	}
}

// beside takes away how pages reach a checkout of this repository that lies beside the service's.
func beside(path string) string {
	return strings.TrimPrefix(strings.TrimPrefix(path, "../"), "promote/")
}

func checkTerraform(t *testing.T, where string, c Command) {
	for _, word := range c.Words[1:] {
		if dir, found := strings.CutPrefix(word, "-chdir="); found && !exists(beside(dir)) {
			t.Errorf("%s: there is no folder %s", where, dir)
		}
	}
}

// services are AWS's, as the command line and the SDK have them in common: an operation, and its members as flags.
var services = map[string]any{
	"ecr": &ecr.Client{}, "eks": &eks.Client{}, "kms": &kms.Client{}, "secretsmanager": &secretsmanager.Client{}, "ssm": &ssm.Client{}, "sts": &sts.Client{},
}

func checkAWS(t *testing.T, where string, c Command) {
	if len(c.Words) < 3 || services[c.Words[1]] == nil {
		t.Errorf("%s: want aws, a service of %v and an operation, got %q", where, slices.Sorted(func(yield func(string) bool) {
			for name := range services {
				if !yield(name) {
					return
				}
			}
		}), c.Words)
		return
	}
	client := reflect.TypeOf(services[c.Words[1]])
	var operation reflect.Method
	for i := range client.NumMethod() {
		if m := client.Method(i); strings.EqualFold(m.Name, strings.ReplaceAll(c.Words[2], "-", "")) {
			operation = m
		}
	}
	if operation.Name == "" {
		t.Errorf("%s: aws %s has no operation %s", where, c.Words[1], c.Words[2])
		return
	}
	input := operation.Type.In(2).Elem()
	for _, word := range c.Words[3:] {
		flag, isFlag := strings.CutPrefix(word, "--")
		if !isFlag || slices.Contains([]string{"region", "output", "query", "profile"}, flag) {
			continue
		}
		name := strings.ReplaceAll(flag, "-", "")
		if _, found := input.FieldByNameFunc(func(field string) bool { return strings.EqualFold(field, name) }); !found {
			t.Errorf("%s: aws %s %s has no --%s", where, c.Words[1], c.Words[2], flag)
		}
	}
}

func TestCommandsOfABlock(t *testing.T) {
	b := Block{Line: 10, Text: "make demo   # play it\nA=1 B='x y' go test \\\n  -run \"T|U\" ./...\n# only a comment\ngo run . &\ncurl -s localhost | cat && kill %1\n"}
	want := []Command{
		{Line: 11, Words: []string{"make", "demo"}},
		{Line: 12, Variables: []string{"A=1", "B=x y"}, Words: []string{"go", "test", "-run", "T|U", "./..."}},
		{Line: 15, Words: []string{"go", "run", "."}},
		{Line: 16, Words: []string{"curl", "-s", "localhost"}},
		{Line: 16, Words: []string{"cat"}},
		{Line: 16, Words: []string{"kill", "%1"}},
	}
	if diff := cmp.Diff(want, b.Commands()); diff != "" {
		t.Errorf("Commands (- wanted, + got):\n%s", diff)
	}
}
