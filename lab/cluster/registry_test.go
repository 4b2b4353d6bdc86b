package cluster

import (
	"context"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// serveRegistry runs the lab's registry on a free port and returns its address.
func serveRegistry(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- ServeRegistry(ctx, t.TempDir(), address) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	if err := await(ctx, 10*time.Second, func() error { return ask(ctx, http.DefaultTransport, "http://"+address+"/v2/") }); err != nil {
		t.Fatal(err)
	}
	return address
}

func program(t *testing.T) string {
	path := filepath.Join(t.TempDir(), "pause")
	if err := os.WriteFile(path, []byte("#!/bin/true\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestRegistry(t *testing.T) {
	address := serveRegistry(t)
	tag, err := name.NewTag(address + "/promote-lab/pause:latest")
	if err != nil {
		t.Fatal(err)
	}
	l, _ := newLab(t)
	path := program(t)
	made := 0
	seed := func() error {
		return l.seed(context.Background(), "pause-x", []string{tag.String()}, func() (v1.Image, error) { made++; return pauseFrom(path) })
	}
	if err := seed(); err != nil {
		t.Fatal(err)
	}
	t.Run("serves what was seeded", func(t *testing.T) {
		image, err := remote.Image(tag)
		if err != nil {
			t.Fatal(err)
		}
		cfg, err := image.ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"/pause"}, cfg.Config.Entrypoint); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("is not asked to take an image twice, nor is it made twice", func(t *testing.T) {
		if err := seed(); err != nil || made != 1 {
			t.Errorf("made %d times, %v", made, err)
		}
	})
	t.Run("deletes a manifest", func(t *testing.T) {
		head, err := remote.Head(tag)
		if err != nil {
			t.Fatal(err)
		}
		if err := remote.Delete(tag.Context().Digest(head.Digest.String())); err != nil {
			t.Fatal(err)
		}
		if _, err := remote.Head(tag); !notFound(err) {
			t.Errorf("got %v, want not found", err)
		}
	})
	t.Run("is seeded again with the same image after that", func(t *testing.T) {
		if err := seed(); err != nil {
			t.Fatal(err)
		}
		if _, err := remote.Head(tag); err != nil {
			t.Error(err)
		}
	})
}

func TestImages(t *testing.T) {
	t.Run("are the same bytes each time they are made", func(t *testing.T) {
		digests := map[v1.Hash]bool{}
		for range 2 {
			path := program(t)
			if err := os.Chtimes(path, time.Now(), time.Now().Add(-time.Duration(len(digests)+1)*time.Hour)); err != nil {
				t.Fatal(err)
			}
			image, err := pauseFrom(path)
			if err != nil {
				t.Fatal(err)
			}
			digest, err := image.Digest()
			if err != nil {
				t.Fatal(err)
			}
			digests[digest] = true
		}
		if len(digests) != 1 {
			t.Errorf("got %v", digests)
		}
	})
	t.Run("of Go keep what a build reads and nothing else", func(t *testing.T) {
		for path, want := range map[string]bool{
			"bin/go": true, "src/net/http/server.go": true, "pkg/tool/linux_amd64/compile": true, "lib/time/zoneinfo.zip": true,
			"src/net/http/server_test.go": false, "test/fixedbugs/x.go": false, "api/go1.txt": false,
		} {
			if got := keepInImage(path, false); got != want {
				t.Errorf("%s: got %v", path, got)
			}
		}
		for path, want := range map[string]bool{"src/net": true, "src/net/testdata": false, "src/cmd": false, "src/cmp": true, "pkg/obj": false} {
			if got := keepInImage(path, true); got != want {
				t.Errorf("%s/: got %v", path, got)
			}
		}
	})
}
