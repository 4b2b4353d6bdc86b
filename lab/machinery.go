package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"

	"github.com/org/promote/lab/cluster"
	"github.com/org/promote/lab/demo"
	"github.com/org/promote/lab/show"
	"github.com/org/promote/lab/world"
)

func open() (*cluster.Lab, error) { return cluster.Open(cluster.Config{Out: os.Stdout}) }

func up(ctx context.Context, _ []string) error {
	l, err := open()
	if err != nil {
		return err
	}
	return asRoot(func() error { return l.Up(ctx) })
}

func down(ctx context.Context, _ []string) error {
	l, err := open()
	if err != nil {
		return err
	}
	return asRoot(func() error { return l.Down(ctx) })
}

func status(ctx context.Context, _ []string) error {
	l, err := open()
	if err != nil {
		return err
	}
	return asRoot(func() error { return l.Status(ctx) })
}

// env prints a path, not the lines: `source "$(lab env)"` fails when no lab is up, where `eval "$(lab env)"` would go on.
func env(context.Context, []string) error {
	w, err := world.Load(world.DefaultDir())
	if err != nil {
		return err
	}
	fmt.Println(filepath.Join(w.StateDir, "env"))
	return nil
}

func stop(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("lab stop", flag.ContinueOnError)
	kill := flags.Bool("kill", false, "kill it, as a crash would")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() != 1 {
		return errors.New("usage: lab stop [-kill] NAME; `lab status` lists the names")
	}
	l, err := open()
	if err != nil {
		return err
	}
	sig := syscall.SIGTERM
	if *kill {
		sig = syscall.SIGKILL
	}
	return asRoot(func() error { return l.Stop(ctx, flags.Arg(0), sig) })
}

func start(ctx context.Context, args []string) error {
	if len(args) != 1 {
		return errors.New("usage: lab start NAME; `lab status` lists the names")
	}
	l, err := open()
	if err != nil {
		return err
	}
	return asRoot(func() error { return l.Start(ctx, args[0]) })
}

// play needs root for the lab's own cluster, whose credentials are root's, and not for a cluster of the user's.
func play(ctx context.Context, args []string) error {
	if os.Getenv("KUBECONFIG") != "" {
		l, err := open()
		if err != nil {
			return err
		}
		act, err := l.Act(ctx)
		if err != nil {
			return err
		}
		return demo.Main(ctx, args, act)
	}
	return asRoot(func() error { return demo.Main(ctx, args, "") })
}

// try gives the build of the service's image what its Dockerfile begins with, as far as this machine can.
func try(ctx context.Context, args []string) error {
	l, err := open()
	if err != nil {
		return err
	}
	return asRoot(func() error { return demo.Try(ctx, args, l.Bases) })
}

// registry, loadbalancer and targets are what the lab's own components run as.
func registry(ctx context.Context, args []string) error {
	if len(args) != 2 {
		return errors.New("usage: lab registry FOLDER ADDRESS")
	}
	return cluster.ServeRegistry(ctx, args[0], args[1])
}

func loadbalancer(ctx context.Context, args []string) error {
	if len(args) != 2 {
		return errors.New("usage: lab loadbalancer KUBECONFIG DOMAIN")
	}
	return cluster.ServeBalancers(ctx, args[0], args[1], slog.Default())
}

func targets(ctx context.Context, args []string) error {
	if len(args) != 2 {
		return errors.New("usage: lab targets KUBECONFIG FILE")
	}
	return cluster.WriteTargets(ctx, args[0], args[1])
}

// draw makes a demo's page anew from what the demo kept: after a change to how it looks, nobody has to play again.
func draw(_ context.Context, args []string) error {
	if len(args) != 1 {
		return errors.New("usage: lab show FOLDER, the folder of a demo")
	}
	path, err := show.Redraw(args[0])
	if err != nil {
		return err
	}
	fmt.Println(path)
	return nil
}
