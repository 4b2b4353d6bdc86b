package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/org/promote/lab/testimage"
	lab "github.com/org/promote/lab/world"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// world is what all measurements share.
type world struct {
	settings
	lab lab.World
	// work is a folder for everything; it goes with close.
	work  string
	admin *rest.Config
	kube  kubernetes.Interface
	// repository is the image's, its own; image is repository@digest.
	repository, image string
	hub               *hub
	table             table
	// undo takes back what was made, the latest first.
	undo []func()
}

// newWorld puts the image into the registry and starts the doubles.
func newWorld(ctx context.Context, s settings) (*world, error) {
	w := &world{settings: s}
	var err error
	if w.lab, err = lab.Load(lab.DefaultDir()); err != nil {
		return nil, err
	}
	if w.admin, err = clientcmd.BuildConfigFromFlags("", w.lab.AdminKubeconfig); err != nil {
		return nil, err
	}
	w.admin.QPS = -1
	if w.kube, err = kubernetes.NewForConfig(w.admin); err != nil {
		return nil, err
	}
	if w.work, err = os.MkdirTemp("", "benchdeploy-"); err != nil {
		return nil, err
	}
	w.undo = append(w.undo, func() { _ = os.RemoveAll(w.work) })
	if err = w.pushImage(ctx); err == nil {
		w.hub, err = newHub(ctx, w)
	}
	if err != nil {
		w.close()
		return nil, err
	}
	return w, nil
}

// pushImage copies the test image into a repository of this run's own: evidence is written beside it.
func (w *world) pushImage(ctx context.Context) error {
	pushed, err := testimage.Push(ctx, w.lab.Registry)
	if err != nil {
		return err
	}
	from, err := name.NewDigest(pushed)
	if err != nil {
		return err
	}
	image, err := remote.Image(from, remote.WithContext(ctx))
	if err != nil {
		return err
	}
	host := w.lab.Registry
	if !w.fallback {
		if host, err = w.serveRegistry(ctx); err != nil {
			return err
		}
	}
	w.repository = host + "/promote-bench/" + random()
	w.image = w.repository + "@" + from.DigestStr()
	to, err := name.NewDigest(w.image)
	if err != nil {
		return err
	}
	return remote.Write(to, image, remote.WithContext(ctx))
}

func random() string { return strings.ToLower(rand.Text()[:8]) }

// close takes back what was made.
func (w *world) close() {
	for _, undo := range slices.Backward(w.undo) {
		undo()
	}
}

// dir makes a new folder.
func (w *world) dir(kind string) (string, error) {
	dir, err := os.MkdirTemp(w.work, kind+"-")
	if err != nil {
		return "", fmt.Errorf("making a folder for %s: %w", kind, err)
	}
	return dir, nil
}
