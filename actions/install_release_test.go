package actions

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
)

const (
	version  = "v1.2.3"
	platform = runtime.GOOS + "_" + runtime.GOARCH
	asset    = "hello_" + platform + ".gz"
	program  = "#!/bin/sh\necho released pid $$\n"
)

// pack is a file as a release has it.
func pack(t *testing.T, content string) []byte {
	t.Helper()
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}

func sum(data []byte) string {
	hash := sha256.Sum256(data)
	return hex.EncodeToString(hash[:])
}

// newRelease is a tree of a release whose files are below url.
func newRelease(t *testing.T, url string) *tree {
	t.Helper()
	tr := newTree(t)
	tr.names(url, sum([]byte(program)), sum(pack(t, program)))
	// Nothing of the machine that the tests run on: no token, mirror or proxy.
	tr.environment = append(tr.environment, "HOME="+t.TempDir(), "XDG_CACHE_HOME=", "PROMOTE_BINARY=", "PROMOTE_MIRROR=", "INPUT_GITHUB_TOKEN=",
		"http_proxy=", "HTTP_PROXY=", "https_proxy=", "HTTPS_PROXY=", "no_proxy=", "NO_PROXY=")
	return tr
}

// names writes release.json as hack/release does.
func (tr *tree) names(url, program, packed string) {
	tr.t.Helper()
	tr.write("release.json", fmt.Sprintf(`{
  "version": %q,
  "url": %q,
  "programs": {
    "hello_plan9_mips": {"sha256": "00", "gz": "00"},
    "hello_%s": {"sha256": %q, "gz": %q},
    "other_%s": {"sha256": "00", "gz": "00"}
  }
}
`, version, url, platform, program, packed, platform))
}

// host serves a release and remembers what it was asked.
type host struct {
	*httptest.Server
	mutex sync.Mutex
	asked []*http.Request
	serve http.HandlerFunc
}

func newHost(t *testing.T) *host {
	t.Helper()
	h := &host{}
	h.serve = func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/"+version+"/"+asset) {
			_, _ = w.Write(pack(t, program))
			return
		}
		http.NotFound(w, r)
	}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.mutex.Lock()
		h.asked = append(h.asked, r)
		h.mutex.Unlock()
		h.serve(w, r)
	}))
	t.Cleanup(h.Close)
	return h
}

func (h *host) address() string { return h.URL + "/org/promote/releases/download/" + version }

func (h *host) requests() []*http.Request {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	return h.asked
}

// wantProgram runs the action, which must become the program of the release.
func (tr *tree) wantProgram() string {
	tr.t.Helper()
	out, code, pid := tr.run("hello")
	if code != 0 || !strings.Contains(out, fmt.Sprintf("released pid %d\n", pid)) {
		tr.t.Fatalf("exit code %d, pid %d\n%s", code, pid, out)
	}
	return out
}

// wantFailure runs the action, which must end with one error that has these words, and leave nothing behind.
func (tr *tree) wantFailure(words ...string) {
	tr.t.Helper()
	out, code, _ := tr.run("hello")
	if code == 0 || strings.Count(out, "::error title=promote::") != 1 || strings.Contains(out, "released pid") {
		tr.t.Fatalf("exit code %d\n%s", code, out)
	}
	for _, want := range words {
		if !strings.Contains(out, want) {
			tr.t.Errorf("the error does not say %q:\n%s", want, out)
		}
	}
	tr.wantFiles(0)
}

// wantFiles counts the files in the cache.
func (tr *tree) wantFiles(want int) {
	tr.t.Helper()
	if _, err := os.Stat(tr.cache); err != nil && want == 0 {
		return
	}
	if left := tr.files(tr.cache); len(left) != want {
		tr.t.Errorf("the cache holds %q, want %d files", left, want)
	}
}

// installed is where a program of the release is kept.
func (tr *tree) installed() string {
	return filepath.Join(tr.cache, "promote", version, platform, "hello")
}

// without gives a PATH that has what the machine's has, but for these.
func without(t *testing.T, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, from := range filepath.SplitList(os.Getenv("PATH")) {
		entries, _ := os.ReadDir(from) // what is not there has nothing in it
		for _, e := range entries {
			_ = os.Symlink(filepath.Join(from, e.Name()), filepath.Join(dir, e.Name())) // the first one of a name counts
		}
	}
	for _, name := range names {
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	return "PATH=" + dir
}

// transfers are the programs that files can be got with, as the PATHs that have one alone.
func transfers(t *testing.T, each func(t *testing.T, path string)) {
	t.Helper()
	for only, other := range map[string]string{"curl": "wget", "wget": "curl"} {
		t.Run("with "+only, func(t *testing.T) {
			if _, err := exec.LookPath(only); err != nil {
				t.Skipf("this machine has no %s", only)
			}
			each(t, without(t, other))
		})
	}
}
