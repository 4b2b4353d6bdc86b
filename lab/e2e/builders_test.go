//go:build lab

package e2e

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/org/promote/lab/github"
)

// cleanBuildkit starts a BuildKit of its own that has built nothing yet, and gives its address.
func (h *hub) cleanBuildkit() string {
	h.t.Helper()
	dir, err := os.MkdirTemp("", "bk") // a test's own folder has a name too long for a socket
	h.must(err)
	address := "unix://" + filepath.Join(dir, "s")
	daemon := exec.Command(filepath.Join(h.world.StateDir, "bin", "buildkitd"), "--config", filepath.Join(h.world.StateDir, "config", "buildkitd.toml"),
		"--otel-socket-path", filepath.Join(dir, "o"), "--addr", address, "--root", filepath.Join(dir, "root"))
	var log bytes.Buffer
	daemon.Stdout, daemon.Stderr = &log, &log
	h.must(daemon.Start())
	h.t.Cleanup(func() {
		_ = daemon.Process.Signal(syscall.SIGTERM)
		_ = daemon.Wait()
		_ = os.RemoveAll(dir)
	})
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		ask := exec.Command(filepath.Join(h.world.BinDir, "buildctl"), "--addr", address, "debug", "workers")
		if ask.Run() == nil {
			return address
		}
		if time.Now().After(deadline) {
			h.t.Fatalf("buildkitd does not answer:\n%s", log.String())
		}
	}
}

// tool is a Dockerfile on scratch with a program that runs in a build step, and the program's source beside it. It prints a
// build secret and writes a file.
func (h *hub) tool() map[string]string {
	h.t.Helper()
	dir := h.t.TempDir()
	const source = `package main

import (
	"fmt"
	"os"
)

func main() {
	secret, err := os.ReadFile("/run/secrets/token")
	fmt.Printf("the secret is %s, %v\n", secret, err)
	if err := os.WriteFile("/written", []byte("by the step"), 0o600); err != nil {
		panic(err)
	}
}
`
	h.must(os.WriteFile(filepath.Join(dir, "main.go"), []byte(source), 0o600), os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module example.com/tool\n\ngo 1.26\n"), 0o600))
	build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-o", filepath.Join(dir, "tool"), ".")
	build.Dir, build.Env = dir, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		h.t.Fatalf("%v\n%s", err, out)
	}
	program, err := os.ReadFile(filepath.Join(dir, "tool"))
	h.must(err)
	return map[string]string{
		// git keeps no mode here that h.commit does not set, so the Dockerfile gives the program its own.
		"tool": string(program),
		// The variable keeps the step out of what an earlier test has left in a builder's cache.
		"Dockerfile": fmt.Sprintf("FROM scratch\nENV FOR=%d\nCOPY --chmod=0755 tool /tool\nRUN --mount=type=secret,id=token [\"/tool\"]\n", time.Now().UnixNano()),
	}
}

func TestTwoCleanBuildersGiveOneDigest(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.commit("main", map[string]string{"README.md": "x"})
	twice := func(builder string, event github.Event, inputs map[string]string, clean func() []string) {
		t.Helper()
		var digests []string
		for range 2 {
			inputs["image"], inputs["builder"] = h.repository("clean"), builder
			res := h.run("build", event, inputs, clean()...)
			if res.code != 0 || res.outputs["reused"] != "false" {
				t.Fatalf("exit code %d, outputs %v:\n%s", res.code, res.outputs, res.output)
			}
			digests = append(digests, res.outputs["digest"])
		}
		if digests[0] != digests[1] {
			t.Errorf("two clean stores of %s give %v", builder, digests)
		}
	}
	// buildah does not know the lab's mirror, so both build what needs no base.
	_, _, event := h.pull("tool", h.tool())
	secret := map[string]string{"build-secrets": "token=any-value"}
	buildkit := func() []string { return []string{"BUILDKIT_HOST=" + h.cleanBuildkit()} }
	twice("buildah", event, secret, h.cleanStore)
	twice("buildctl", event, secret, buildkit)
	files := small()
	files["Dockerfile"] = example(t)["Dockerfile"]
	_, _, event = h.pull("example", files)
	twice("buildctl", event, map[string]string{}, buildkit)
}

// small is a program that takes seconds to compile where nothing is compiled yet: it imports nothing.
func small() map[string]string {
	return map[string]string{"go.mod": "module example.com/small\n\ngo 1.26\n", "main.go": "package main\n\nfunc main() { println(\"up\") }\n"}
}

// cleanStore makes buildah keep its images in a new folder.
func (h *hub) cleanStore() []string {
	h.t.Helper()
	dir := h.t.TempDir()
	config := filepath.Join(dir, "storage.conf")
	text := "[storage]\ndriver = \"vfs\"\ngraphroot = \"" + filepath.Join(dir, "graph") + "\"\nrunroot = \"" + filepath.Join(dir, "run") + "\"\n"
	h.must(os.WriteFile(config, []byte(text), 0o600))
	return []string{"CONTAINERS_STORAGE_CONF=" + config}
}

func TestGoBuilderNeedsNoDockerfile(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.commit("main", map[string]string{"README.md": "x"})
	_, head, event := h.pull("topic", small())
	inputs := map[string]string{"image": h.repository("go")}
	first := h.run("build", event, inputs)
	if first.code != 0 || !strings.Contains(first.output, "builder go") {
		t.Fatalf("exit code %d:\n%s", first.code, first.output)
	}
	again := h.run("build", event, map[string]string{"image": h.repository("go")}, "GOCACHE="+t.TempDir())
	if again.outputs["digest"] != first.outputs["digest"] {
		t.Errorf("with another cache the digest is %s, want %s", again.outputs["digest"], first.outputs["digest"])
	}
	if got := h.holds(inputs["image"], head); got != first.outputs["digest"] {
		t.Errorf("the commit's tag holds %q", got)
	}
}

func TestATreeHasOneImage(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.commit("main", map[string]string{"README.md": "x"})
	files := example(t)
	files["Dockerfile"] = "FROM scratch\nCOPY . /\n"
	_, older, olderEvent := h.pull("topic", files)
	inputs := map[string]string{"image": h.repository("tree")}
	first := h.run("build", olderEvent, inputs)
	if first.code != 0 {
		t.Fatalf("exit code %d:\n%s", first.code, first.output)
	}
	digest := first.outputs["digest"]

	// The next commit changes nothing, the one after does, and the last takes that back.
	_, same, event := h.pull("same", nil)
	if res := h.run("build", event, inputs); res.code != 0 || res.outputs["reused"] != "true" || res.outputs["digest"] != digest {
		t.Errorf("exit code %d, outputs %v:\n%s", res.code, res.outputs, res.output)
	}
	_, between, betweenEvent := h.pull("between", map[string]string{"NOTES.md": "y"})
	if res := h.run("build", betweenEvent, inputs); res.code != 0 || res.outputs["reused"] != "false" {
		t.Errorf("exit code %d, outputs %v:\n%s", res.code, res.outputs, res.output)
	}
	h.git(h.clone, "rm", "-q", "NOTES.md")
	_, last, event := h.pull("back", nil)
	if res := h.run("build", event, inputs); res.code != 0 || res.outputs["reused"] != "true" || res.outputs["digest"] != digest {
		t.Errorf("exit code %d, outputs %v:\n%s", res.code, res.outputs, res.output)
	}
	// Older runs that end later leave the marker where it is.
	for commit, event := range map[string]github.Event{between: betweenEvent, older: olderEvent} {
		h.git(h.clone, "checkout", "--quiet", commit)
		if res := h.run("build", event, inputs); res.code != 0 || res.outputs["reused"] != "true" {
			t.Errorf("exit code %d, outputs %v:\n%s", res.code, res.outputs, res.output)
		}
		if got := h.holds(inputs["image"], "test"); got != digest {
			t.Errorf("after the run of %s the marker holds %s, want %s", commit, got, digest)
		}
	}
	for _, tag := range []string{older, same, last} {
		if got := h.holds(inputs["image"], tag); got != digest {
			t.Errorf("tag %s holds %s, want %s", tag, got, digest)
		}
	}
}

func TestBuildSecretsAreInNoImage(t *testing.T) {
	t.Parallel()
	const secret = "s3cr3t-of-the-build"
	h := newHub(t)
	h.commit("main", map[string]string{"README.md": "x"})
	for _, builder := range []string{"buildx", "buildctl", "buildah"} {
		t.Run("with "+builder+", nor in its cache", func(t *testing.T) {
			_, head, event := h.pull("secret-"+builder, h.tool())
			repository := h.repository("secret-" + builder)
			res := h.run("build", event, map[string]string{
				"image": repository, "builder": builder, "build-secrets": "token=" + secret, "cache": "true",
			}, h.cleanStore()...)
			if res.code != 0 || !strings.Contains(res.output, "the secret is ***") {
				t.Fatalf("exit code %d, want the step that reads the secret:\n%s", res.code, res.output)
			}
			repo, err := name.NewRepository(repository)
			h.must(err)
			tags, err := remote.List(repo)
			h.must(err)
			if got := h.holds(repository, head); got == "" || len(tags) < 4 {
				t.Errorf("tags %v, want the commit, the marker, the tree and the cache", tags)
			}
			for _, tag := range tags {
				for _, form := range []string{secret, base64.StdEncoding.EncodeToString([]byte(secret))} {
					if where := h.find(repo.Tag(tag), form); where != "" {
						t.Errorf("tag %s has the secret in its %s", tag, where)
					}
				}
			}
		})
	}
}

// find says where in an image a text is: manifest, config or layer; "" for nowhere.
func (h *hub) find(ref name.Tag, text string) string {
	h.t.Helper()
	img, err := remote.Image(ref)
	h.must(err)
	manifest, err := img.RawManifest()
	h.must(err)
	config, err := img.RawConfigFile()
	h.must(err)
	parts := map[string][]byte{"manifest": manifest, "config": config}
	layers, err := img.Layers()
	h.must(err)
	for _, layer := range layers {
		digest, err := layer.Digest()
		h.must(err)
		body, err := layer.Uncompressed()
		h.must(err)
		parts["layer "+digest.String()], err = io.ReadAll(body)
		h.must(err, body.Close())
	}
	for where, data := range parts {
		if bytes.Contains(data, []byte(text)) {
			return where
		}
	}
	return ""
}

func TestACacheOutlivesItsBuilder(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.commit("main", map[string]string{"README.md": "x"})
	inputs := map[string]string{"image": h.repository("cached"), "builder": "buildctl", "build-secrets": "token=any-value", "cache": "true"}
	_, _, event := h.pull("one", h.tool())
	if res := h.run("build", event, inputs, "BUILDKIT_HOST="+h.cleanBuildkit()); res.code != 0 || strings.Contains(res.output, "CACHED") {
		t.Fatalf("exit code %d, want nothing from a cache:\n%s", res.code, res.output)
	}
	_, _, event = h.pull("two", map[string]string{"README.md": "another tree"})
	if res := h.run("build", event, inputs, "BUILDKIT_HOST="+h.cleanBuildkit()); res.code != 0 || !strings.Contains(res.output, "CACHED") {
		t.Errorf("exit code %d, want steps from the cache:\n%s", res.code, res.output)
	}
}
