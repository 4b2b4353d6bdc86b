package demo

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTheResetIsFoundBeforeTheTestsAlone(t *testing.T) {
	const reset, tests = "[deploy-test] known order: abc.def\n", "[deploy-test]   ❓  ::group::Tests against the candidate: go test\n"
	for name, test := range map[string]struct {
		log          string
		reset, tests int
	}{
		"before them": {"a line\n" + reset + tests + reset, 2, 3},
		"after them":  {tests + reset, 2, 1},
		"nowhere":     {"[deploy-test] an unknown order: abc.def\n" + tests, 0, 2},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "log.txt")
			if err := os.WriteFile(file, []byte(test.log), 0o600); err != nil {
				t.Fatal(err)
			}
			gotReset, gotTests, order, err := readReset(file)
			if err != nil || gotReset != test.reset || gotTests != test.tests || test.reset > 0 && order != "abc.def" {
				t.Errorf("reset in line %d, tests in line %d, order %q, %v; want lines %d and %d", gotReset, gotTests, order, err, test.reset, test.tests)
			}
		})
	}
}

func TestTheResetIsOneLineMoreOfTheTemplate(t *testing.T) {
	template, err := os.ReadFile("../../workflows-templates/pull-request.yml")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "pull-request.yml")
	if err := os.WriteFile(file, template, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := resetBefore(file, "make reset"); err != nil {
		t.Fatal(err)
	}
	edited, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	const line = "          reset-command: make reset\n"
	if strings.Replace(string(edited), line, "", 1) != string(template) || !strings.Contains(string(edited), line+"          test-command: ") {
		t.Errorf("the template became\n%s", edited)
	}
	if err := resetBefore(filepath.Join(t.TempDir(), "none.yml"), "make reset"); err == nil {
		t.Error("a file that is not there was edited")
	}
}
