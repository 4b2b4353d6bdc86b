package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/org/promote/lab/testimage"
	lab "github.com/org/promote/lab/world"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// world is what all measurements share.
type world struct {
	settings
	lab lab.World
	// work is a folder for everything; it goes with close.
	work    string
	admin   *rest.Config
	kube    kubernetes.Interface
	dynamic dynamic.Interface
	// repository is the image's, its own: promote's watchdog is pushed there; image is repository@digest.
	repository name.Repository
	image      string
	pushed     v1.Image
	// undo takes back what was made, the latest first.
	undo []func(context.Context)
}

// newWorld puts the image into the registry and the peers' custom resources into the cluster.
func newWorld(ctx context.Context, s settings) (*world, error) {
	w := &world{settings: s}
	var err error
	if w.lab, err = lab.Load(lab.DefaultDir()); err != nil {
		return nil, err
	}
	if w.admin, err = clientcmd.BuildConfigFromFlags("", w.lab.AdminKubeconfig); err != nil {
		return nil, err
	}
	w.admin.QPS, w.admin.WarningHandler = -1, rest.NoWarnings{}
	if w.kube, err = kubernetes.NewForConfig(w.admin); err != nil {
		return nil, err
	}
	if w.dynamic, err = dynamic.NewForConfig(w.admin); err != nil {
		return nil, err
	}
	if w.work, err = os.MkdirTemp("", "benchcanary-"); err != nil {
		return nil, err
	}
	w.undo = append(w.undo, func(context.Context) { _ = os.RemoveAll(w.work) })
	crds, err := filepath.Glob(filepath.Join(w.argoCRDs, "*-crd.yaml"))
	if err == nil {
		err = errors.Join(w.pushImage(ctx), w.define(ctx, append(crds, w.flaggerCRDs)...))
	}
	if err != nil {
		w.close(ctx)
		return nil, err
	}
	return w, nil
}

// pushImage copies the test image into a repository of this run's own.
func (w *world) pushImage(ctx context.Context) error {
	pushed, err := testimage.Push(ctx, w.lab.Registry)
	if err != nil {
		return err
	}
	from, err := name.NewDigest(pushed, name.Insecure)
	if err != nil {
		return err
	}
	if w.pushed, err = remote.Image(from, remote.WithContext(ctx)); err != nil {
		return err
	}
	if w.repository, err = name.NewRepository(w.lab.Registry+"/promote-bench/"+random(), name.Insecure); err != nil {
		return err
	}
	to := w.repository.Digest(from.DigestStr())
	w.image = to.String()
	return remote.Write(to, w.pushed, remote.WithContext(ctx))
}

func random() string { return strings.ToLower(rand.Text()[:8]) }

// cleaning is how long each part of the clearing up may take: pods need a few seconds to go.
const cleaning = time.Minute

// close takes back what was made, also after an interrupt.
func (w *world) close(ctx context.Context) { w.undoDownTo(ctx, 0) }

// undoDownTo takes back what was made after so many others.
func (w *world) undoDownTo(ctx context.Context, n int) {
	for _, undo := range slices.Backward(w.undo[n:]) {
		limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleaning)
		undo(limited)
		cancel()
	}
	w.undo = w.undo[:n]
}

// await asks again and again until it is so, or the time is over.
func await(ctx context.Context, limit time.Duration, what string, is func(context.Context) (bool, error)) error {
	var last error
	for deadline := time.Now().Add(limit); ; {
		done, err := is(ctx)
		if done {
			return nil
		}
		if over := (endedError{}); errors.As(err, &over) {
			return fmt.Errorf("waiting until %s: %w", what, err)
		}
		last = errors.Join(err, context.Cause(ctx))
		if ctx.Err() != nil || time.Now().After(deadline) {
			return fmt.Errorf("waiting %s until %s: %w", limit, what, errors.Join(errTime, last))
		}
		select {
		case <-ctx.Done():
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// errTime is the end of a wait.
var errTime = errors.New("it is not so")

// endedError is one after which waiting is in vain.
type endedError struct{ why string }

func (e endedError) Error() string { return e.why }
