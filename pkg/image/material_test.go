package image

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// folder makes a folder with files; a name that ends in a slash is an empty folder, "x -> y" a link.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const (
	mainGo = "package main\n\nfunc main() { println(\"hello\") }\n"
	goMod  = "module example.com/team/hello\n\ngo 1.22\n"
)

func TestMaterial(t *testing.T) {
	for _, c := range []struct {
		name  string
		files map[string]string
		set   func(*BuildRequest)
		want  Material
		why   string
	}{
		{"a Dockerfile comes first", map[string]string{"Dockerfile": "", "main.go": mainGo}, nil, FromDockerfile, "there is a Dockerfile"},
		{"without one it is the Go main package", map[string]string{"main.go": mainGo}, nil, FromGo, "no Dockerfile but a Go main package"},
		{
			"a Go package besides the main one is none", map[string]string{"a.go": "package a\n", "a_test.go": mainGo, "gen.go": "//go:build ignore\n\n" + mainGo},
			nil, FromDockerfile, "nothing else",
		},
		{
			"files are the last", map[string]string{"a": ""},
			func(r *BuildRequest) { r.Files = []string{"a:/a"} }, FromFiles, "files are listed",
		},
		{
			"a Dockerfile that was named and is missing is not replaced", map[string]string{"main.go": mainGo},
			func(r *BuildRequest) { r.Dockerfile = "docker/app" }, FromDockerfile, "was named",
		},
		{
			"a named builder decides", map[string]string{"Dockerfile": "", "main.go": mainGo},
			func(r *BuildRequest) { r.Builder = "go" }, FromGo, "as asked for",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := BuildRequest{Context: folder(t, c.files)}
			if c.set != nil {
				c.set(&r)
			}
			if of, because := r.Material(); of != c.want || !strings.Contains(because, c.why) {
				t.Errorf("Material() = %s (%s), want %s (%s)", of, because, c.want, c.why)
			}
		})
	}
}

func TestProgramName(t *testing.T) {
	for name, c := range map[string]struct{ module, below, want string }{
		"the module's last part":      {"example.com/team/hello", "", "hello"},
		"a version is no name":        {"example.com/team/hello/v2", "", "hello"},
		"the package's own folder":    {"example.com/team/hello", "cmd/server", "server"},
		"a module of one word":        {"hello", "", "hello"},
		"a version inside of a path":  {"example.com/v2/hello", "", "hello"},
		"a dotted version as gopkg's": {"gopkg.in/hello.v3", "", "hello"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := folder(t, map[string]string{"go.mod": "module " + c.module + "\n", filepath.Join(c.below, "main.go"): mainGo})
			if got, err := programName(filepath.Join(dir, c.below)); got != c.want || err != nil {
				t.Errorf("programName() = %q, %v, want %q", got, err, c.want)
			}
		})
	}
	t.Run("without a go.mod it is an error", func(t *testing.T) {
		if _, err := programName(folder(t, map[string]string{"main.go": mainGo})); err == nil || !strings.Contains(err.Error(), "there is no go.mod") {
			t.Errorf("programName() = %v", err)
		}
	})
}
