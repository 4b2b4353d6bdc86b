package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"time"

	"github.com/org/promote/pkg/cluster"
	"github.com/org/promote/pkg/gha"
	"github.com/org/promote/pkg/image"
)

// The values of the input watchdog.
const (
	watchdogAuto = "auto"
	watchdogOn   = "true"
	watchdogOff  = "false"
)

// watchdog stands by in the cluster while traffic moves: what a run that dies leaves, it takes back.
type watchdog struct {
	action *gha.Action
	in     inputs
	// published has the image, or why there is none.
	published chan publication
}

type publication struct {
	reference string
	err       error
}

// newWatchdog begins to push the watchdog's image: this very program. That takes seconds when it is a new version, which the
// candidate's pods need anyway.
func newWatchdog(ctx context.Context, a *gha.Action, in inputs) *watchdog {
	w := &watchdog{action: a, in: in, published: make(chan publication, 1)}
	if in.watchdog == watchdogOff {
		return w
	}
	go func() {
		program, err := os.Executable()
		if err == nil && runtime.GOOS != "linux" {
			err = errors.New("this runner is no Linux machine, and its program does not run in the cluster")
		}
		p := publication{err: err}
		if err == nil {
			p.reference, p.err = image.Publish(ctx, in.Image, program, runtime.GOARCH)
		}
		w.published <- p
	}()
	return w
}

// start makes the watchdog and gives what removes it. Without one the run refuses to move traffic, or says so and goes on.
func (w *watchdog) start(ctx context.Context, cl *cluster.Cluster) (stop func(), err error) {
	if w.in.watchdog == watchdogOff {
		return func() {}, nil
	}
	dog, err := w.make(ctx, cl)
	switch {
	case err == nil:
	case w.in.watchdog == watchdogOn || ctx.Err() != nil:
		return nil, fmt.Errorf("%w; nothing has moved; without a watchdog it goes with the input `watchdog: false`", err)
	case errors.Is(err, cluster.ErrNoWatchdogAccount):
		w.action.Noticef("No watchdog stands by: %v. If this run is killed, traffic stays as it is until the next run, or one of `mode: recover`.", err)
		return func() {}, nil
	default:
		w.action.Warningf("No watchdog stands by: %v. If this run is killed, traffic stays as it is until the next run, or one of `mode: recover`.", err)
		return func() {}, nil
	}
	w.action.Infof("%s stands by: if this run dies, it gives the traffic back within %s", dog, cluster.LockTime+watchdogReaction)
	return func() {
		late, cancel := context.WithTimeout(context.WithoutCancel(ctx), hurriedTime)
		defer cancel()
		if err := dog.Stop(late); err != nil {
			w.action.Infof("%v; it ends by itself", err)
		}
	}, nil
}

// watchdogReaction is what a watchdog takes at most from the moment at which the lock has lapsed until traffic is safe.
const watchdogReaction = 5 * time.Second

func (w *watchdog) make(ctx context.Context, cl *cluster.Cluster) (*cluster.Watchdog, error) {
	var p publication
	select {
	case p = <-w.published:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if p.err != nil {
		return nil, fmt.Errorf("making the watchdog's image: %w", p.err)
	}
	run := w.action.Env().Run()
	return cl.StartWatchdog(ctx, cluster.WatchdogConfig{
		Service: w.in.Service, Run: run, Image: p.reference, Arch: runtime.GOARCH,
		Args: []string{
			watchCommand, "-namespace", w.in.Namespace, "-service", w.in.Service, "-run", run, "-url", w.action.Env().RunURL,
			"-drain", w.in.Drain.String(), "-timeout", w.in.Timeout.String(),
		},
	})
}
