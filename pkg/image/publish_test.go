package image

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// TestPublish pushes this very test's twin, built as the actions are: twice, which gives one digest.
func TestPublish(t *testing.T) {
	dir := t.TempDir()
	source := filepath.Join(dir, "main.go")
	if err := os.WriteFile(source, []byte("package main\n\nfunc main() { println(\"here\") }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "watchdog")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, source)
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	s := serve(t)
	first, err := Publish(t.Context(), s.repository, program, runtime.GOARCH)
	if err != nil {
		t.Fatal(err)
	}
	if err := Exists(t.Context(), first); err != nil {
		t.Error(err)
	}
	if again, err := Publish(t.Context(), s.repository, program, runtime.GOARCH); err != nil || again != first {
		t.Errorf("the same program became %s and %s, %v", first, again, err)
	}
}

func TestPublishRefusesWhatCannotRunAlone(t *testing.T) {
	text := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(text, []byte("#!/bin/sh\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for program, want := range map[string]string{text: "one for Linux", "/bin/sh": "CGO_ENABLED=0"} {
		if _, err := Publish(t.Context(), "registry.invalid/x", program, runtime.GOARCH); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", program, err, want)
		}
	}
}
