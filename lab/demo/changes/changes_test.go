package changes

import (
	"bytes"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// orders is how many the probe of a running service places: twice what change 02's journal holds.
const orders = 60

func TestTheChangesDoWhatTheDemoTells(t *testing.T) {
	clone := newClone(t)
	for _, stage := range []struct {
		name, undo, change string
		integration, e2e   bool
		because            string // a test that fails, where integration is false
		fails              bool   // some orders, once there are many
		reset              bool   // the integration tests begin with one, and fail without
	}{
		{name: "the example as it is", integration: true, e2e: true},
		{name: "01 is good", change: "01", integration: true, e2e: true},
		{name: "02 fails under traffic", change: "02", integration: true, e2e: true, fails: true},
		{name: "03 fails its integration tests once 02 is taken back", undo: "02", change: "03", because: "with_a_welcome_code"},
		{name: "04 is good, and its integration tests need the reset", undo: "03", change: "04", integration: true, e2e: true, reset: true},
	} {
		passed := t.Run(stage.name, func(t *testing.T) {
			if stage.undo != "" {
				git(t, clone, "apply", "--index", "--reverse", patchFile(t, stage.undo))
			}
			if stage.change != "" {
				git(t, clone, "apply", "--index", patchFile(t, stage.change))
			}
			if output, passed := goRun(t, clone, nil, "test", "./..."); !passed {
				t.Fatalf("unit tests failed:\n%s", output)
			}
			if output, passed := goRun(t, clone, nil, "vet", "-tags", "integration,e2e", "./..."); !passed {
				t.Fatalf("vet found:\n%s", output)
			}
			url := startService(t, clone)
			env := []string{"PROMOTE_URL=" + url}
			if stage.reset {
				needsReset(t, clone, env)
			}
			if output, passed := goRun(t, clone, env, "test", "-count=1", "-tags=integration", "./test/integration/..."); passed != stage.integration || !strings.Contains(output, stage.because) {
				t.Errorf("integration tests passed: %v, want %v\n%s", passed, stage.integration, output)
			}
			if output, passed := goRun(t, clone, env, "test", "-count=1", "-tags=e2e", "./test/e2e/..."); passed != stage.e2e {
				t.Errorf("end-to-end tests passed: %v, want %v\n%s", passed, stage.e2e, output)
			}
			// Every fifth after the thirtieth; the suites' own orders are in the journal, too.
			failed := placeOrders(t, url)
			if stage.fails && (failed < 6 || failed > 10) || !stage.fails && failed != 0 {
				t.Errorf("%d of %d orders failed, want some: %v", failed, orders, stage.fails)
			}
		})
		if !passed {
			t.FailNow() // what follows builds on it
		}
	}
}

// needsReset runs the reset, once the integration tests were seen to fail without it.
func needsReset(t *testing.T, clone string, env []string) {
	t.Helper()
	if output, passed := goRun(t, clone, env, "test", "-count=1", "-tags=integration", "./test/integration/..."); passed || !strings.Contains(output, "go run ./test/reset") {
		t.Errorf("integration tests passed without the reset: %v\n%s", passed, output)
	}
	if output, passed := goRun(t, clone, env, "run", "./test/reset"); !passed || !strings.Contains(output, "known order: ") {
		t.Fatalf("the reset failed:\n%s", output)
	}
}

// placeOrders tells how many orders were answered with a server error.
func placeOrders(t *testing.T, url string) (failed int) {
	t.Helper()
	for range orders {
		response, err := http.Post(url+"/orders", "application/json", strings.NewReader(`{"items":[{"sku":"mug","quantity":1}],"currency":"EUR"}`))
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode >= 500 {
			failed++
		}
	}
	return failed
}

// newClone copies the example, without its README, into a git repository of its own.
func newClone(t *testing.T) string {
	t.Helper()
	clone := t.TempDir()
	if err := os.CopyFS(clone, os.DirFS("../../../examples/checkout")); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(clone, "README.md")); err != nil {
		t.Fatal(err)
	}
	git(t, clone, "init", "-q")
	git(t, clone, "add", "-A")
	return clone
}

func git(t *testing.T, clone string, args ...string) {
	t.Helper()
	command := exec.CommandContext(t.Context(), "git", append([]string{"-C", clone}, args...)...)
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("git %s: %v: %s", strings.Join(args, " "), err, output)
	}
}

// patchFile is the absolute path of the patch with the number.
func patchFile(t *testing.T, number string) string {
	t.Helper()
	files, err := filepath.Glob(number + "-*.patch")
	if err != nil || len(files) != 1 {
		t.Fatalf("patches with number %s: %v (%v), want one", number, files, err)
	}
	path, err := filepath.Abs(files[0])
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// goRun runs the go command in the clone and tells whether it succeeded.
func goRun(t *testing.T, clone string, env []string, args ...string) (string, bool) {
	t.Helper()
	command := exec.CommandContext(t.Context(), "go", args...)
	command.Dir = clone
	command.Env = append(os.Environ(), env...)
	var output bytes.Buffer
	command.Stdout, command.Stderr = &output, &output
	err := command.Run()
	return output.String(), err == nil
}
