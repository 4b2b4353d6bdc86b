package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/org/promote/pkg/cluster"
	"github.com/org/promote/pkg/release"
)

// watchCommand is the argument with which this program is a watchdog inside the cluster.
const watchCommand = "watchdog"

// readyTime is how old the last look at the lock may be while a watchdog is ready: it sees what happens.
const readyTime = 10 * time.Second

// watch is the watchdog: it ends with the run that it watches, or when what that run left is safe. The exit code is 1 when
// it has to begin anew.
func watch(args []string, out io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	log := plainLog{out}
	err := standBy(ctx, args, log)
	if err != nil && ctx.Err() == nil {
		log.Warningf("%v", err)
		return 1
	}
	return 0
}

func standBy(ctx context.Context, args []string, log plainLog) error {
	flags := flag.NewFlagSet(watchCommand, flag.ContinueOnError)
	flags.SetOutput(log.out)
	req, run := release.Request{}, ""
	flags.StringVar(&req.Namespace, "namespace", "", "namespace of the service")
	flags.StringVar(&req.Service, "service", "", "name of the service")
	flags.StringVar(&run, "run", "", "the run that is watched")
	flags.StringVar(&req.RunURL, "url", "", "page of that run")
	flags.DurationVar(&req.Timeout, "timeout", 10*time.Minute, "how long pods may take to be ready")
	flags.DurationVar(&req.Settle, "drain", 30*time.Second, "how long a pod without traffic runs on")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if req.Namespace == "" || req.Service == "" || run == "" {
		return errors.New("a watchdog needs -namespace, -service and -run; the action canary starts it")
	}
	req.Run = "watchdog-of-" + run
	cl, err := cluster.Connect(cluster.Config{Namespace: req.Namespace, Redact: noSecret, Warn: func(text string) { log.Infof("the API server warns: %s", text) }})
	if err != nil {
		return err
	}
	var seen atomic.Int64
	if err := serveReady(ctx, fmt.Sprintf(":%d", cluster.WatchdogPort), &seen); err != nil {
		return err
	}
	log.Infof("watching run %s of %s in %s", run, req.Service, req.Namespace)
	found, err := release.Watch(ctx, release.Deps{Cluster: cl, Log: log, Mask: func(string) bool { return true }}, req, run, func() { seen.Store(time.Now().UnixNano()) })
	switch {
	case err != nil:
		return err
	case found.Did == "":
		log.Infof("run %s has ended, and %s serves", run, found.Serving)
	default:
		log.Infof("run %s has died; its release %s: %s", run, found.Release, found.Did)
	}
	return nil
}

// serveReady answers at /ready, with 200 while the last look is young.
func serveReady(ctx context.Context, at string, seen *atomic.Int64) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", at)
	if err != nil {
		return fmt.Errorf("listening for the kubelet: %w", err)
	}
	handler := http.NewServeMux()
	handler.HandleFunc("GET /ready", func(w http.ResponseWriter, _ *http.Request) {
		if age := time.Since(time.Unix(0, seen.Load())); age > readyTime {
			http.Error(w, "the lock was not seen lately", http.StatusServiceUnavailable)
		}
	})
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second, BaseContext: func(net.Listener) context.Context { return ctx }}
	go func() { _ = server.Serve(listener) }()
	context.AfterFunc(ctx, func() { _ = server.Close() })
	return nil
}

// plainLog writes lines for who reads a pod's log; the runner's commands mean nothing there.
type plainLog struct{ out io.Writer }

func (l plainLog) Infof(format string, args ...any) { fmt.Fprintf(l.out, format+"\n", args...) }
func (l plainLog) Warningf(format string, args ...any) {
	fmt.Fprintf(l.out, "warning: "+format+"\n", args...)
}
func (l plainLog) Group(title string) (end func()) {
	l.Infof("%s", title)
	return func() {}
}
func (l plainLog) Child() io.WriteCloser { return nopCloser{l.out} }

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

// noSecret leaves texts as they are: a watchdog knows no secret value, and those in Secret objects are masked by their kind.
func noSecret(text string) string { return text }
