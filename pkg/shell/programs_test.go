package shell

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/org/promote/pkg/hostile"
)

func TestPrograms(t *testing.T) {
	for command, want := range map[string]string{
		"go test ./...":                               "go",
		"npm ci && npm test":                          "npm npm",
		"A=1 B=2 make test":                           "make",
		"set -e\ncd sub\n./gradlew test":              "./gradlew",
		"go list -m | xargs go test":                  "go xargs",
		"go test || report-failure":                   "go", // what stands behind || may never run
		"if true; then deploy; fi":                    "",
		"run() { helper; }; run":                      "",
		"$PROGRAM test; \"$OTHER\"":                   "",
		"( a; { b; } ); time c":                       "a b c",
		"'quoted' x":                                  "", // no plain word: left out
		"! a | b":                                     "a b",
		"while a; do b; done; for x in y; do z; done": "",
		"echo a; printf b; test -f c":                 "",
		"":                                            "",
		"# only a remark":                             "",
	} {
		got, err := Programs(command)
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("Programs(%q) = %q, %v; want %q", command, got, err, want)
		}
	}
}

func TestWhatBashWouldNotReadIsAnError(t *testing.T) {
	for _, command := range []string{"go test 'a", "if true; then", "a &&", "a\nb )"} {
		if got, err := Programs(command); err == nil || !strings.HasPrefix(err.Error(), "line ") {
			t.Errorf("Programs(%q) = %q, %v", command, got, err)
		}
	}
	for name, text := range hostile.Texts {
		t.Run(name, func(*testing.T) { _, _ = Programs(text) })
	}
}

func TestBuiltinsAreBashs(t *testing.T) {
	out, err := exec.Command("bash", "-c", "compgen -b").Output()
	if err != nil {
		t.Fatalf("asking bash, which the actions need: %v", err)
	}
	var missing []string
	for _, name := range strings.Fields(string(out)) {
		if !builtins[name] {
			missing = append(missing, name)
		}
	}
	slices.Sort(missing)
	if diff := cmp.Diff([]string(nil), missing); diff != "" {
		t.Error(diff)
	}
}
