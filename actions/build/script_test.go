package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/org/promote/pkg/evidence"
	"github.com/org/promote/pkg/image"
	"github.com/org/promote/pkg/provenance"
	"github.com/org/promote/pkg/sbom"
)

// goCache is where this test's own compiler keeps what it compiled; scripts have another home.
var goCache = sync.OnceValue(func() string {
	out, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		panic(err)
	}
	return strings.TrimSpace(string(out))
})

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"build": main, "docker": fakeDocker, "buildctl": fakeBuildctl})
}

// TestScripts runs the action as GitHub does: a process with INPUT_* and GITHUB_* variables, a git checkout, an event file,
// an API, and a real registry. The builder alone is not real: fakeDocker in builder_test.go.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:   "testdata",
		Setup: setup,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"commit":   commit,
			"event":    event,
			"statuses": statuses,
			"tags":     tags,
			"uploads":  uploads,
			"requests": requests,

			"attestations": attestations,

			"head":   headCommand,
			"retag":  retag,
			"holds":  holds,
			"config": config,
			"input":  inputCommand,
			"signal": signalCommand,
		},
	})
}

const token = "ghs_0123456789abcdef"

// outside is what the action talks to.
type outside struct {
	mu       sync.Mutex
	statuses []string
	registry string // host:port
	repo     string // folder of the git repository
	uploads  int    // blobs whose upload was ended
	requests []string
}

type outsideKey struct{}

// ServeHTTP is the little of GitHub's API that the action uses.
func (o *outside) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	defer o.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	body, _ := io.ReadAll(r.Body)
	var status struct{ State, Context, Description string }
	sha, ok := strings.CutPrefix(r.URL.Path, "/repos/org/shop/statuses/")
	between, compared := strings.CutPrefix(r.URL.Path, "/repos/org/shop/compare/")
	switch {
	case compared && exists(filepath.Join(o.repo, "..", "forbidden")):
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, `{"message":"Resource not accessible by integration"}`)
	case compared:
		o.compare(w, between)
	case r.Header.Get("Authorization") != "Bearer "+token:
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprint(w, `{"message":"Bad credentials"}`)
	case r.Method == http.MethodGet && r.URL.Path == "/repos/org/shop/commits", r.Method == http.MethodGet && r.URL.Path == "/repos/org/shop/rules/branches/main":
		fmt.Fprint(w, `[]`)
	case r.Method == http.MethodGet && r.URL.Path == "/repos/org/shop/branches/main":
		fmt.Fprint(w, `{"name":"main","protected":false,"protection":{"enabled":false}}`)
	case !ok || r.Method != http.MethodPost || json.Unmarshal(body, &status) != nil:
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"message":"Not Found"}`)
	case exists(filepath.Join(o.repo, "..", "forbidden")):
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, `{"message":"Resource not accessible by integration"}`)
	case exec.Command("git", "-C", o.repo, "cat-file", "-e", sha+"^{commit}").Run() != nil:
		w.WriteHeader(http.StatusUnprocessableEntity)
		fmt.Fprintf(w, `{"message":"No commit found for SHA: %s"}`, sha)
	default:
		o.statuses = append(o.statuses, fmt.Sprintf("%s %s %s: %s", sha, status.Context, status.State, status.Description))
		w.WriteHeader(http.StatusCreated)
		fmt.Fprint(w, `{}`)
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// compare says how two commits stand to each other, from the real repository.
func (o *outside) compare(w http.ResponseWriter, between string) {
	base, head, _ := strings.Cut(between, "...")
	ancestor := func(a, b string) bool {
		return exec.Command("git", "-C", o.repo, "merge-base", "--is-ancestor", a, b).Run() == nil
	}
	status := "diverged"
	switch {
	case base == head:
		status = "identical"
	case ancestor(base, head):
		status = "ahead"
	case ancestor(head, base):
		status = "behind"
	}
	fmt.Fprintf(w, `{"status":%q}`, status)
}

func setup(env *testscript.Env) error {
	o := &outside{repo: filepath.Join(env.WorkDir, "repo")}
	hub := httptest.NewServer(o)
	env.Defer(hub.Close)
	here, err := os.Getwd()
	if err != nil {
		return err
	}
	inner := registry.New(registry.Logger(log.New(io.Discard, "", 0)), registry.WithReferrersSupport(true))
	images := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o.mu.Lock()
		o.requests = append(o.requests, fmt.Sprintf("%s %s %d", r.Method, r.URL.Path, r.ContentLength))
		o.mu.Unlock()
		if r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/blobs/uploads/") {
			o.mu.Lock()
			o.uploads++
			o.mu.Unlock()
		}
		inner.ServeHTTP(w, r)
	}))
	env.Defer(images.Close)
	o.registry = strings.TrimPrefix(images.URL, "http://")
	env.Values[outsideKey{}] = o
	for _, file := range []string{"output", "summary"} {
		if err := os.WriteFile(filepath.Join(env.WorkDir, file), nil, 0o600); err != nil {
			return err
		}
	}
	env.Vars = append(env.Vars,
		"GITHUB_API_URL="+hub.URL, "GITHUB_REPOSITORY=org/shop", "GITHUB_RUN_ID=42", "GITHUB_SERVER_URL=https://github.test",
		"GITHUB_WORKSPACE="+filepath.Join(env.WorkDir, "repo"), "GITHUB_EVENT_NAME=pull_request",
		"GITHUB_EVENT_PATH="+filepath.Join(env.WorkDir, "event.json"),
		"GITHUB_ACTION_PATH="+here,
		"GITHUB_OUTPUT="+filepath.Join(env.WorkDir, "output"), "GITHUB_STEP_SUMMARY="+filepath.Join(env.WorkDir, "summary"),
		// what a runner has besides, and no builder may have
		"GITHUB_ENV="+filepath.Join(env.WorkDir, "gh-env"), "ACTIONS_ID_TOKEN_REQUEST_TOKEN=i", "ACTIONS_ID_TOKEN_REQUEST_URL=https://oidc.test",
		"ACTIONS_RUNTIME_TOKEN=r", "ACTIONS_CACHE_URL=https://cache.test",
		"INPUT_GITHUB_TOKEN="+token, "INPUT_IMAGE="+o.registry+"/team/shop", "REGISTRY="+o.registry,
		"GOCACHE="+goCache(), // or every script would compile the standard library
		"TMPDIR="+filepath.Join(env.WorkDir, ".tmp"), "DOCKER_CONFIG="+env.WorkDir,
		"GIT_CONFIG_GLOBAL=/dev/null", "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com",
	)
	return nil
}

// commit commits all that is in the folder repo, which it makes a git repository, and makes the event that of a pull request
// with this head.
func commit(ts *testscript.TestScript, _ bool, _ []string) {
	for _, command := range [][]string{
		{"init", "-q", "-b", "main", "repo"}, {"-C", "repo", "add", "-A"}, {"-C", "repo", "commit", "-q", "--allow-empty", "-m", "a change"},
	} {
		ts.Check(ts.Exec("git", command...))
	}
	headCommand(ts, false, nil)
}

// event makes the event that of a pull request: event REPOSITORY-OF-THE-HEAD COMMIT.
func event(ts *testscript.TestScript, _ bool, args []string) {
	text := fmt.Sprintf(`{"action":"opened","repository":{"full_name":"org/shop"},"pull_request":{"number":7,"state":"open",
		"title":"a change","user":{"login":"ada"},"base":{"ref":"main"},
		"head":{"ref":"topic","sha":%q,"repo":{"full_name":%q}}}}`, args[1], args[0])
	ts.Check(os.WriteFile(ts.MkAbs("event.json"), []byte(text), 0o600))
}

// statuses writes the commit statuses that were set to the file statuses.
func statuses(ts *testscript.TestScript, _ bool, _ []string) {
	o := ts.Value(outsideKey{}).(*outside)
	o.mu.Lock()
	defer o.mu.Unlock()
	ts.Check(os.WriteFile(ts.MkAbs("statuses"), []byte(strings.Join(o.statuses, "\n")+"\n"), 0o600))
}

// requests writes what the registry was asked since it was last asked for to the file requests, a line "METHOD PATH BYTES-SENT" each.
func requests(ts *testscript.TestScript, _ bool, _ []string) {
	o := ts.Value(outsideKey{}).(*outside)
	o.mu.Lock()
	defer o.mu.Unlock()
	ts.Check(os.WriteFile(ts.MkAbs("requests"), []byte(strings.Join(o.requests, "\n")+"\n"), 0o600))
	o.requests = nil
}

// tags writes what the registry holds to the file tags, a line "TAG DIGEST" each.
func tags(ts *testscript.TestScript, _ bool, _ []string) {
	o := ts.Value(outsideKey{}).(*outside)
	repo, err := name.NewRepository(o.registry + "/team/shop")
	ts.Check(err)
	var b strings.Builder
	if list, err := remote.List(repo); err == nil { // an error means that the repository does not exist yet
		for _, tag := range list {
			held, err := remote.Head(repo.Tag(tag))
			ts.Check(err)
			fmt.Fprintf(&b, "%s %s\n", tag, held.Digest)
		}
	}
	ts.Check(os.WriteFile(ts.MkAbs("tags"), []byte(b.String()), 0o600))
}

// uploads writes how many blobs were uploaded since it was last asked to the file uploads.
func uploads(ts *testscript.TestScript, _ bool, _ []string) {
	o := ts.Value(outsideKey{}).(*outside)
	o.mu.Lock()
	defer o.mu.Unlock()
	ts.Check(os.WriteFile(ts.MkAbs("uploads"), fmt.Append(nil, o.uploads, "\n"), 0o600))
	o.uploads = 0
}

// headCommand makes the event that of a pull request whose head is the commit that is checked out. It sets HEAD to it and TREE
// to what its tree's tags begin with.
func headCommand(ts *testscript.TestScript, _ bool, _ []string) {
	ts.Check(ts.Exec("git", "-C", "repo", "rev-parse", "HEAD", "HEAD^{tree}"))
	words := strings.Fields(ts.ReadFile("stdout"))
	ts.Setenv("HEAD", words[0])
	ts.Setenv("TREE", "tree-"+words[1])
	event(ts, false, []string{"org/shop", words[0]})
}

// holds fails unless the tags whose names begin with these words all hold the same image: holds PREFIX...; with ! unless the
// first one's image is another than the second one's.
func holds(ts *testscript.TestScript, other bool, args []string) {
	tags(ts, false, nil)
	digests := map[string]bool{}
	for _, prefix := range args {
		found := regexp.MustCompile(`(?m)^` + prefix + `\S* (\S+)$`).FindStringSubmatch(ts.ReadFile("tags"))
		if found == nil {
			ts.Fatalf("no tag begins with %s:\n%s", prefix, ts.ReadFile("tags"))
		}
		digests[found[1]] = true
	}
	if (len(digests) > 1) != other {
		ts.Fatalf("%v hold %d images:\n%s", args, len(digests), ts.ReadFile("tags"))
	}
}

// retag puts the image of one tag on another that begins with a word: retag FROM PREFIX.
func retag(ts *testscript.TestScript, _ bool, args []string) {
	o := ts.Value(outsideKey{}).(*outside)
	repo, err := name.NewRepository(o.registry + "/team/shop")
	ts.Check(err)
	from, err := remote.Get(repo.Tag(args[0]))
	ts.Check(err)
	list, err := remote.List(repo)
	ts.Check(err)
	for _, tag := range list {
		if strings.HasPrefix(tag, args[1]) {
			ts.Check(remote.Tag(repo.Tag(tag), from))
		}
	}
}

// inputCommand sets an input to a file's text, which may have several lines: input NAME FILE.
func inputCommand(ts *testscript.TestScript, _ bool, args []string) {
	ts.Setenv(args[0], ts.ReadFile(args[1]))
}

// config writes the config of the commit's image to the file config.
func config(ts *testscript.TestScript, _ bool, _ []string) {
	o := ts.Value(outsideKey{}).(*outside)
	repo, err := name.NewRepository(o.registry + "/team/shop")
	ts.Check(err)
	img, err := remote.Image(repo.Tag(ts.Getenv("HEAD")))
	ts.Check(err)
	raw, err := img.RawConfigFile()
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs("config"), raw, 0o600))
}

// signalCommand cancels the action as GitHub does, with SIGINT to its process, once its id stands in a file: signal FILE.
func signalCommand(ts *testscript.TestScript, _ bool, args []string) {
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		var pid int
		data, err := os.ReadFile(ts.MkAbs(args[0]))
		if n, _ := fmt.Sscan(string(data), &pid); err == nil && n == 1 {
			ts.Check(syscall.Kill(pid, syscall.SIGINT))
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("file %s did not come", args[0])
		}
	}
}

// attestations writes the predicate types of what is said about the commit's image to the file attestations.
func attestations(ts *testscript.TestScript, _ bool, _ []string) {
	o := ts.Value(outsideKey{}).(*outside)
	repository := o.registry + "/team/shop"
	digest, err := image.Resolve(context.Background(), repository, ts.Getenv("HEAD"))
	ts.Check(err)
	var found strings.Builder
	for _, predicate := range []string{sbom.PredicateType, provenance.PredicateType, evidence.PredicateType} {
		said, err := evidence.Attestations(context.Background(), image.Reference(repository, digest), predicate, nil)
		ts.Check(err)
		for range said {
			fmt.Fprintln(&found, predicate)
		}
	}
	ts.Check(os.WriteFile(ts.MkAbs("attestations"), []byte(found.String()), 0o600))
}
