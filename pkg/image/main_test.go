package image

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

const (
	commit = "0123456789abcdef0123456789abcdef01234567"
	// fakeBuilder makes this test binary behave as a builder; its value says how.
	fakeBuilder = "PROMOTE_TEST_BUILDER"
	// fakeBuilderNotes names the file for [jot].
	fakeBuilderNotes = "PROMOTE_TEST_NOTES"
)

func TestMain(m *testing.M) {
	if mode := os.Getenv(fakeBuilder); mode != "" {
		os.Exit(actAsBuilder(mode, os.Args[1:]))
	}
	// The real waits are for real registries.
	connection.(*retry).first = 2 * time.Millisecond
	uploads.Duration = 2 * time.Millisecond
	settle = 20 * time.Millisecond
	markSettle = 20 * time.Millisecond
	os.Exit(m.Run())
}

// actAsBuilder is a builder that answers as docker's buildx plugin does and writes a real OCI layout.
func actAsBuilder(mode string, args []string) int {
	line := strings.Join(args, " ")
	if strings.HasSuffix(line, "version") {
		if mode == "broken" {
			return 1
		}
		fmt.Println("fake builder v1.2.3")
		return 0
	}
	fmt.Println("args:", line)
	if strings.HasPrefix(line, "rmi ") || strings.HasPrefix(line, "manifest rm ") {
		jot("removed " + args[len(args)-1])
		return 0
	}
	switch mode {
	case "fail":
		fmt.Fprint(os.Stderr, readFile("testdata/failed-step.buildx.log"))
		return 1
	case "hang":
		interrupted, stop := signal.NotifyContext(context.Background(), os.Interrupt)
		defer stop()
		fmt.Println("started")
		<-interrupted.Done()
		return 130
	case "leak":
		fmt.Println("the token is hunter2-hunter2")
		fmt.Println("ERROR: failed to solve: bad token hunter2-hunter2")
		return 1
	}
	_, rest, _ := strings.Cut(line, "dest=")
	dir, _, _ := strings.Cut(rest, ",")
	if _, to, found := strings.Cut(line, " oci:"); found { // buildah's second call
		if os.Getenv("DOCKER_CONFIG") != "" {
			fmt.Println("Error: checking authfile")
			return 1
		}
		dir = to
	}
	if dir == "" {
		return 0
	}
	if err := writeLayout(dir, fixedImage()); err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

// jot adds a line to the file that a test reads what happened from.
func jot(line string) {
	file, err := os.OpenFile(os.Getenv(fakeBuilderNotes), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		_, _ = fmt.Fprintln(file, line)
		_ = file.Close()
	}
}

func readFile(path string) string {
	data, err := os.ReadFile(path)
	if err != nil {
		panic(err)
	}
	return string(data)
}

// fixedImage is the same image each time.
func fixedImage() v1.Image {
	img, err := mutate.Config(empty.Image, v1.Config{Labels: map[string]string{"made-by": "fake"}})
	if err != nil {
		panic(err)
	}
	return img
}

func writeLayout(dir string, img v1.Image) error {
	path, err := layout.Write(dir, empty.Index)
	if err != nil {
		return err
	}
	return path.AppendImage(img)
}

// randomLayout is a layout with an image of a few layers, and the image's digest.
func randomLayout(t *testing.T) (dir, digest string) {
	t.Helper()
	img, err := random.Image(64<<10, 4)
	if err != nil {
		t.Fatal(err)
	}
	dir = filepath.Join(t.TempDir(), "layout")
	if err := writeLayout(dir, img); err != nil {
		t.Fatal(err)
	}
	hash, err := img.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return dir, hash.String()
}

// server is a real registry behind a door that a test can put something into.
type server struct {
	repository string // of this registry
	mu         sync.Mutex
	writes     int // requests that changed something
	door       func(w http.ResponseWriter, r *http.Request) (handled bool)
	inner      http.Handler
}

func serve(t *testing.T, opts ...registry.Option) *server {
	t.Helper()
	s := &server{}
	s.inner = registry.New(append(opts, registry.Logger(quiet))...)
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		door := s.door
		if r.Method == http.MethodPut || r.Method == http.MethodPatch {
			s.writes++
		}
		s.mu.Unlock()
		if door != nil && door(w, r) {
			return
		}
		s.inner.ServeHTTP(w, r)
	}))
	t.Cleanup(h.Close)
	s.repository = strings.TrimPrefix(h.URL, "http://") + "/team/checkout"
	return s
}

// behind puts something into the door; handled requests do not reach the registry.
func (s *server) behind(door func(w http.ResponseWriter, r *http.Request) (handled bool)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.door = door
}

func (s *server) writesSoFar() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.writes
}

// tags is what each tag of the repository holds.
func (s *server) tags(t *testing.T) map[string]string {
	t.Helper()
	repo, err := repositoryOf(s.repository)
	if err != nil {
		t.Fatal(err)
	}
	list, err := remote.List(repo)
	if err != nil {
		return nil // no such repository yet
	}
	held := map[string]string{}
	for _, tag := range list {
		digest, err := Resolve(t.Context(), s.repository, tag)
		if err != nil {
			t.Fatal(err)
		}
		held[tag] = digest
	}
	return held
}
