// Command lab is a whole world on one machine for the demo and the end-to-end tests: a real Kubernetes, a registry, an image
// builder, a monitor and a workflow runner, with doubles only for what can't run here.
//
//	lab up; source "$(lab env)"; lab demo; lab down
package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/org/promote/lab/load"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "lab: %v\n", err)
		os.Exit(1)
	}
}

// verb is one thing the lab does. A hidden one is the lab's own: it is what a component of the lab runs as.
type verb struct {
	usage  string
	hidden bool
	run    func(ctx context.Context, args []string) error
}

// verbs is the dispatch table; each verb stands in a file of its own.
var verbs = map[string]verb{
	"up":           {usage: "start the lab, or what of it does not run", run: up},
	"down":         {usage: "stop the lab and remove all but the build cache", run: down},
	"status":       {usage: "say what runs", run: status},
	"env":          {usage: "print the path of the file that a shell can source", run: env},
	"stop":         {usage: "stop one component: lab stop [-kill] NAME", run: stop},
	"start":        {usage: "start one component: lab start NAME", run: start},
	"demo":         {usage: "play the whole promotion of the example service", run: play},
	"try":          {usage: "take a service of your own through the lab: lab try FOLDER", run: try},
	"show":         {usage: "draw the page of a demo again: lab show FOLDER", run: draw},
	"load":         {usage: "send a constant rate of requests to a URL and log every answer", run: load.Main},
	"registry":     {hidden: true, run: registry},
	"loadbalancer": {hidden: true, run: loadbalancer},
	"targets":      {hidden: true, run: targets},
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errors.New(usage())
	}
	v, ok := verbs[args[0]]
	if !ok {
		return fmt.Errorf("there is no verb %q; %s", args[0], usage())
	}
	return v.run(ctx, args[1:])
}

func usage() string {
	var b strings.Builder
	b.WriteString("usage: lab VERB, one of")
	for _, name := range slices.Sorted(maps.Keys(verbs)) {
		if !verbs[name].hidden {
			fmt.Fprintf(&b, "\n  %-8s %s", name, verbs[name].usage)
		}
	}
	return b.String()
}
