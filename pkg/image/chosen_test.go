package image

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestChosenStartsNothingAndSaysWhy(t *testing.T) {
	dir, bin := t.TempDir(), t.TempDir()
	t.Setenv("PATH", bin)
	dockerfile := filepath.Join(dir, "Dockerfile")
	if err := os.WriteFile(dockerfile, []byte("FROM scratch\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, builder := range []string{"auto", "buildctl"} {
		_, err := Chosen(t.Context(), BuildRequest{Context: dir, Builder: builder})
		if err == nil || !strings.Contains(err.Error(), `builder "buildctl" is not here: no "buildctl" on the PATH; it needs buildctl, and BUILDKIT_HOST`) {
			t.Errorf("%s: got %v", builder, err)
		}
	}
	program := "#!/bin/sh\n[ \"$*\" = --version ] || echo started >" + filepath.Join(dir, "started") + "\necho buildctl 1.2.3\n"
	if err := os.WriteFile(filepath.Join(bin, "buildctl"), []byte(program), 0o700); err != nil {
		t.Fatal(err)
	}
	told, err := Chosen(t.Context(), BuildRequest{Context: dir, Builder: "auto"})
	if err != nil || !strings.Contains(told, "builder buildctl (") || !strings.Contains(told, `builder "buildx" is not here`) || !strings.HasSuffix(told, ": buildctl 1.2.3") {
		t.Errorf("got %q, %v", told, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "started")); err == nil {
		t.Error("a build was started")
	}
	if told, err := Chosen(t.Context(), BuildRequest{Context: dir, Builder: "files", Files: []string{"Dockerfile:/x"}}); err != nil || !strings.Contains(told, "builder files") {
		t.Errorf("got %q, %v", told, err)
	}
}
