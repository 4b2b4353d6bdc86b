package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/random"
	lab "github.com/org/promote/lab/world"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// labelProcess says which process made a namespace or a node. The end-to-end tests remove namespaces of processes that are dead by
// it, too.
const labelProcess = "lab.promote.dev/process"

// world is what all measurements share.
type world struct {
	settings
	lab lab.World
	// work is a folder for everything; it goes with close.
	work  string
	admin *rest.Config
	kube  kubernetes.Interface
	// front counts what the canaries ask of the API server.
	front   *front
	monitor *monitor
	// registry is its host; image is the one that every service has in a repository of its own.
	registry string
	image    v1.Image
	// undo takes back what was made, the latest first.
	undo []func()
}

// newWorld starts the doubles, the front and the simulated nodes.
func newWorld(ctx context.Context, s settings) (w *world, err error) {
	w = &world{settings: s}
	defer func() {
		if err != nil {
			w.close()
		}
	}()
	if w.lab, err = lab.Load(lab.DefaultDir()); err != nil {
		return nil, err
	}
	release, err := w.lab.Hold(false)
	if err != nil {
		return nil, err
	}
	w.undo = append(w.undo, release)
	if w.admin, err = clientcmd.BuildConfigFromFlags("", w.lab.AdminKubeconfig); err != nil {
		return nil, err
	}
	w.admin.QPS, w.admin.UserAgent = -1, "benchscale"
	if w.kube, err = kubernetes.NewForConfig(w.admin); err != nil {
		return nil, err
	}
	if w.work, err = os.MkdirTemp("", "benchscale-"); err != nil {
		return nil, err
	}
	w.undo = append(w.undo, func() { _ = os.RemoveAll(w.work) })
	// No container is made of it. Its architecture is none, and nobody looks.
	if w.image, err = random.Image(1024, 1); err != nil {
		return nil, err
	}
	if w.front, err = newFront(w.admin); err != nil {
		return nil, err
	}
	w.undo = append(w.undo, w.front.close)
	w.monitor = newMonitor()
	w.undo = append(w.undo, w.monitor.close)
	if err = w.serveRegistry(ctx); err != nil {
		return nil, err
	}
	return w, w.simulate(ctx)
}

// serveRegistry is a registry on loopback that lists what refers to an image, as Amazon's does.
func (w *world) serveRegistry(ctx context.Context) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler:           registry.New(registry.Logger(log.New(io.Discard, "", 0)), registry.WithReferrersSupport(true)),
		ReadHeaderTimeout: 10 * time.Second,
	}
	go func() { _ = server.Serve(listener) }() // ends with the world
	w.undo = append(w.undo, func() { _ = server.Close() })
	w.registry = listener.Addr().String()
	return nil
}

func word() string { return strings.ToLower(rand.Text()[:8]) }

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

// say tells on stderr how far the measurement is.
func say(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }
