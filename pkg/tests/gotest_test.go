package tests

import (
	"fmt"
	"io"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// runGoTest runs the real go test on one package and gives what was read and what a person sees.
func runGoTest(t *testing.T, source string, flags ...string) (Results, string) {
	t.Helper()
	dir := folder(t, map[string]string{"go.mod": "module example.com/m\n\ngo 1.26\n", "p/p_test.go": "package p\n\n" + source})
	var seen strings.Builder
	report := newGoReport(&seen)
	cmd := exec.Command("go", append([]string{"test", "-json"}, append(flags, "./...")...)...)
	cmd.Dir, cmd.Stdout = dir, report
	_ = cmd.Run()
	report.flush()
	found := report.results(&Places{workspace: dir, dir: dir})
	found.settle(cmd.ProcessState.ExitCode())
	return found, seen.String()
}

// list is what is compared: outcome, name and place.
func list(r Results) []string {
	var all []string
	for _, each := range r.Tests {
		all = append(all, fmt.Sprintf("%s %s%s", each.Outcome, each.Name, place(each)))
	}
	return all
}

func TestGoReport(t *testing.T) {
	for name, test := range map[string]struct {
		source string
		flags  []string
		want   []string
	}{
		"subtests count, and not what holds them": {
			source: `import "testing"
func TestA(t *testing.T) { t.Run("x", func(t *testing.T) { t.Run("y", func(t *testing.T) { t.Error("bad") }) }); t.Run("z", func(t *testing.T) {}) }
func TestB(t *testing.T) { t.Skip() }`,
			want: []string{"failed TestA/x/y at p/p_test.go:4", "passed TestA/z", "skipped TestB"},
		},
		"a test that fails beside its subtests counts itself": {
			source: `import "testing"
func TestA(t *testing.T) { t.Run("x", func(t *testing.T) {}); t.Error("bad") }`,
			want: []string{"failed TestA at p/p_test.go:4", "passed TestA/x"},
		},
		"a panic fails the test that ran": {
			source: `import "testing"
func TestA(t *testing.T) {}
func TestB(t *testing.T) { panic("oh no") }`,
			want: []string{"passed TestA", "failed TestB at p/p_test.go:5"},
		},
		"an exit in a test fails it": {
			source: `import ("os"; "testing")
func TestA(t *testing.T) { os.Exit(3) }`,
			want: []string{"failed TestA"},
		},
		"a failure outside of tests is the package's": {
			source: `import ("os"; "testing")
func TestMain(m *testing.M) { m.Run(); os.Exit(1) }
func TestA(t *testing.T) {}`,
			want: []string{"passed TestA", "failed (package)"},
		},
		"what does not compile has its place": {
			source: `import "testing"
func TestA(t *testing.T) { nonsense() }`,
			want: []string{"failed (build) at p/p_test.go:4"},
		},
		"one failure of several runs is a failure": {
			source: `import "testing"
var n int
func TestA(t *testing.T) { if n++; n == 1 { t.Error("bad") } }`,
			flags: []string{"-count=2"},
			want:  []string{"failed TestA at p/p_test.go:5"},
		},
		"the time limit of go test names the test": {
			source: `import ("testing"; "time")
func TestA(t *testing.T) { time.Sleep(time.Hour) }`,
			flags: []string{"-timeout=200ms"},
			want:  []string{"failed TestA at p/p_test.go:4"},
		},
		"of parallel tests, a panic fails the one that panicked": {
			source: `import ("testing"; "time")
func TestA(t *testing.T) { t.Parallel(); time.Sleep(time.Minute) }
func TestB(t *testing.T) { t.Parallel(); time.Sleep(10 * time.Millisecond); panic("oh no") }
func TestC(t *testing.T) {}`,
			want: []string{"failed TestB at p/p_test.go:5", "passed TestC"},
		},
		"parallel subtests that fail count each": {
			source: `import "testing"
func TestA(t *testing.T) {
	for _, n := range []string{"x", "y", "z"} { t.Run(n, func(t *testing.T) { t.Parallel(); if n != "y" { t.Error(n) } }) }
}`,
			want: []string{"failed TestA/x at p/p_test.go:5", "passed TestA/y", "failed TestA/z at p/p_test.go:5"},
		},
		"a failing input of a fuzz test is one of its subtests": {
			source: `import "testing"
func FuzzA(f *testing.F) {
	f.Add(1); f.Add(2)
	f.Fuzz(func(t *testing.T, n int) { if n == 2 { t.Error("two") } })
}`,
			want: []string{"passed FuzzA/seed#0", "failed FuzzA/seed#1 at p/p_test.go:6"},
		},
		"what a fuzz test finds fails it": {
			source: `import "testing"
func FuzzA(f *testing.F) {
	f.Add(1)
	f.Fuzz(func(t *testing.T, n int) { if n != 1 { t.Error("found") } })
}`,
			flags: []string{"-fuzz=FuzzA", "-fuzztime=2000x", "-parallel=1"},
			want:  []string{"failed FuzzA at p/p_test.go:6"},
		},
		"a test that prints without a newline, or what looks like an event": {
			source: `import ("fmt"; "testing")
func TestA(t *testing.T) { fmt.Print("no newline") }
func TestB(t *testing.T) { fmt.Print("--- FAIL: TestA (0.00s)\n{\"Action\":\"fail\",\"Package\":\"example.com/m/p\",\"Test\":\"TestB\"}\n") }`,
			want: []string{"passed TestA", "passed TestB"},
		},
		"an import that is not there": {
			source: `import ("testing"; _ "example.com/m/nowhere")
func TestA(t *testing.T) {}`,
			want: []string{"failed (build) at p/p_test.go:3"},
		},
		"a panic before any test": {
			source: `import "testing"
func init() { panic("oh no") }
func TestA(t *testing.T) {}`,
			want: []string{"failed (package) at p/p_test.go:4"},
		},
		"a package whose tests a flag leaves out": {
			source: `import "testing"
func TestA(t *testing.T) {}`,
			flags: []string{"-run=TestB"},
		},
		"what vet finds is the package's failure": {
			source: `import ("fmt"; "testing")
func TestA(t *testing.T) { fmt.Printf("%d", "x") }`,
			want: []string{"failed (build) at p/p_test.go:4"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, seen := runGoTest(t, test.source, test.flags...)
			if diff := cmp.Diff(test.want, list(got)); diff != "" {
				t.Errorf("%s\n%s", diff, seen)
			}
			if strings.Contains(seen, `"Action"`) {
				t.Errorf("raw events are shown:\n%s", seen)
			}
		})
	}
	t.Run("an event in mid-line is read, and what stands before it is printed", func(t *testing.T) {
		var seen strings.Builder
		report := newGoReport(&seen)
		_, _ = report.Write([]byte(`building… {"Action":"pass","Package":"p","Test":"TestA"}` + "\n"))
		if got := list(report.results(&Places{})); len(got) != 1 || got[0] != "passed TestA" || seen.String() != "building… \n" {
			t.Errorf("got %v and %q", got, seen.String())
		}
	})
	t.Run("tests that wait for their turn do not run", func(t *testing.T) {
		report := newGoReport(io.Discard)
		for _, e := range []string{
			`"run","Test":"TestA"`, `"pause","Test":"TestA"`, `"run","Test":"TestB"`, `"run","Test":"TestB/x"`, `"run","Test":"TestB/y"`, `"pass","Test":"TestB/y"`,
		} {
			_, _ = report.Write([]byte(`{"Action":` + e + `,"Package":"p"}` + "\n"))
		}
		if diff := cmp.Diff([]string{"p TestB/x"}, report.results(&Places{}).Running); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("passes on what is no event, in any pieces", func(t *testing.T) {
		var seen strings.Builder
		report := newGoReport(&seen)
		text := "plain\n{\"json\": true}\n{\"Action\":\"run\"}\n" + `{"Action":"pass","Package":"p","Test":"TestA","Elapsed":1.5}` + "\nend"
		for i := range text {
			_, _ = report.Write([]byte{text[i]})
		}
		report.flush()
		if want := "plain\n{\"json\": true}\n{\"Action\":\"run\"}\nend\n"; seen.String() != want {
			t.Errorf("got %q", seen.String())
		}
		want := []Test{{Suite: "p", Name: "TestA", Outcome: Passed, Took: 1500 * time.Millisecond}}
		if diff := cmp.Diff(want, report.results(&Places{}).Tests, cmp.AllowUnexported(Test{})); diff != "" {
			t.Error(diff)
		}
	})
}
