//go:build lab

package e2e

import (
	"encoding/base64"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/org/promote/lab/github"
)

var digestLike = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

// repository is one in the lab's registry that no other test uses, nor an earlier run.
func (h *hub) repository(name string) string {
	return fmt.Sprintf("%s/e2e/%s-%d", h.world.Registry, name, time.Now().UnixNano())
}

// holds gives the digest that a tag holds, "" for none.
func (h *hub) holds(repository, tag string) string {
	h.t.Helper()
	ref, err := name.NewTag(repository + ":" + tag)
	h.must(err)
	got, err := remote.Get(ref)
	if err != nil {
		return ""
	}
	return got.Digest.String()
}

// example is the example service's source.
func example(t *testing.T) map[string]string {
	t.Helper()
	root := filepath.Join("..", "..", "examples", "checkout")
	files := map[string]string{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(root, path)
		files[filepath.ToSlash(relative)] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// buildStatus is the last state and description of promote/build on a commit.
func (h *hub) buildStatus(commit string) string {
	h.t.Helper()
	return h.status(commit, "promote/build")
}

// status is the last state and description of a context on a commit.
func (h *hub) status(commit, context string) string {
	h.t.Helper()
	all, err := h.repo.Statuses(commit)
	h.must(err)
	var last github.Status
	for _, s := range all {
		if s.Context == context && s.ID > last.ID {
			last = s
		}
	}
	return last.State + " " + last.Description
}

func TestBuildGivesACommitOneImage(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.commit("main", map[string]string{"README.md": "x"})
	_, head, event := h.pull("topic", example(t))
	repository := h.repository("checkout")

	first := h.run("build", event, map[string]string{"image": repository})
	if first.code != 0 {
		t.Fatalf("exit code %d:\n%s", first.code, first.output)
	}
	digest := first.outputs["digest"]
	if !digestLike.MatchString(digest) || first.outputs["image"] != repository+"@"+digest || first.outputs["reused"] != "false" {
		t.Errorf("outputs %v", first.outputs)
	}
	for _, tag := range []string{head, "test"} {
		if got := h.holds(repository, tag); got != digest {
			t.Errorf("tag %s holds %q, want %s", tag, got, digest)
		}
	}
	if got := h.buildStatus(head); !strings.HasPrefix(got, "success built "+digest[:19]) {
		t.Errorf("the commit's status is %q", got)
	}
	t.Logf("first build took %v", first.took)

	t.Run("a second run finds it and builds nothing", func(t *testing.T) {
		again := h.run("build", event, map[string]string{"image": repository})
		if again.code != 0 || again.outputs["reused"] != "true" || again.outputs["digest"] != digest {
			t.Errorf("exit code %d, outputs %v:\n%s", again.code, again.outputs, again.output)
		}
		t.Logf("the second run took %v", again.took)
	})
	for _, builder := range []string{"buildx", "buildctl"} {
		t.Run(builder+" gives the same digest in another repository", func(t *testing.T) {
			other := h.repository("again")
			res := h.run("build", event, map[string]string{"image": other, "builder": builder})
			if res.code != 0 || res.outputs["digest"] != digest {
				t.Errorf("exit code %d, digest %q, want %q:\n%s", res.code, res.outputs["digest"], digest, res.output)
			}
		})
	}
}

func TestBuildThatFails(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.commit("main", map[string]string{"README.md": "x"})
	repository := h.repository("broken")
	const from = "FROM golang:1.26\nWORKDIR /src\nENV CGO_ENABLED=0 GOTOOLCHAIN=local GOCACHE=/cache\nCOPY go.mod main.go ./\n"
	const run = "RUN --mount=type=cache,target=/cache --mount=type=tmpfs,target=/tmp "
	source := map[string]string{
		"go.mod":     "module example.com/x\n\ngo 1.26\n",
		"main.go":    "package main\n\nfunc main() { undefined() }\n",
		"Dockerfile": from + run + `["go", "build", "-buildvcs=false", "-o", "/out", "."]` + "\n",
	}
	for _, builder := range []string{"buildx", "buildctl"} {
		t.Run("a failing step is named with its last lines by "+builder, func(t *testing.T) {
			_, head, event := h.pull("broken-"+builder, source)
			res := h.run("build", event, map[string]string{"image": repository, "builder": builder})
			if res.code != 1 {
				t.Errorf("exit code %d, want 1", res.code)
			}
			for _, want := range []string{"undefined: undefined", "go build"} {
				if !strings.Contains(errorsIn(res.output), want) || !strings.Contains(res.summary, want) {
					t.Errorf("error or summary do not hold %q:\n%s\n---\n%s", want, res.output, res.summary)
				}
			}
			if got := h.buildStatus(head); !strings.HasPrefix(got, `failure building with "`+builder) {
				t.Errorf("the commit's status is %q", got)
			}
			if got := h.holds(repository, head) + h.holds(repository, "test"); got != "" {
				t.Errorf("a tag holds %q after a failed build", got)
			}
		})
	}
	t.Run("a build secret that a step prints stays out of log, error and summary", func(t *testing.T) {
		const secret = "s3cr3t-of-the-build"
		source["main.go"] = `package main

import (
	"encoding/base64"
	"fmt"
	"os"
)

func main() {
	value, err := os.ReadFile("/run/secrets/token")
	fmt.Println(string(value), base64.StdEncoding.EncodeToString(value), err)
	os.Exit(3)
}
`
		source["Dockerfile"] = from + run + `--mount=type=secret,id=token ["go", "run", "-buildvcs=false", "."]` + "\n"
		_, _, event := h.pull("secret", source)
		res := h.run("build", event, map[string]string{"image": repository, "build-secrets": "token=" + secret})
		shown := regexp.MustCompile(`(?m)^::add-mask::.*$`).ReplaceAllString(res.output, "") + res.summary
		if res.code != 1 || !strings.Contains(shown, "*** *** <nil>") {
			t.Errorf("exit code %d, want 1 and the step's redacted line:\n%s", res.code, shown)
		}
		for _, form := range []string{secret, base64.StdEncoding.EncodeToString([]byte(secret))} {
			if strings.Contains(shown, form) {
				t.Errorf("%q is shown:\n%s", form, shown)
			}
		}
	})
	t.Run("a registry that nothing answers for is named before anything is built", func(t *testing.T) {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		host := listener.Addr().String()
		if err := listener.Close(); err != nil { // now a port that is known to be free
			t.Fatal(err)
		}
		_, head, event := h.pull("unreachable", source)
		res := h.run("build", event, map[string]string{"image": host + "/checkout"})
		if want := "reaching registry \"" + host + "\""; res.code != 1 || !strings.Contains(errorsIn(res.output), want) {
			t.Errorf("exit code %d, want 1 and %s:\n%s", res.code, want, res.output)
		}
		if !strings.Contains(errorsIn(res.output), "check the input `image`") || strings.Contains(res.output, "::group::Build") {
			t.Errorf("want the input to change, and no build:\n%s", res.output)
		}
		if got := h.buildStatus(head); !strings.HasPrefix(got, "failure reaching registry") {
			t.Errorf("the commit's status is %q", got)
		}
		if res.took > 30*time.Second {
			t.Errorf("it took %v", res.took)
		}
	})
}

// errorsIn are the lines that GitHub shows as errors.
func errorsIn(log string) string {
	return strings.Join(regexp.MustCompile(`(?m)^::error.*$`).FindAllString(log, -1), "\n")
}
