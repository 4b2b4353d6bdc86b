// Command benchdeploy compares ways to bring a service into a cluster: promote's action deploy against `kubectl apply
// --server-side` with `kubectl rollout status`, and against `helm upgrade --install --wait`, in one run, on the lab's cluster,
// with the same objects, the same image and the same probes. It prints medians, ratios, and whether each goal is met; a goal
// that is missed is no error, a contender that fails is.
//
// Contenders take turns, each has a namespace of its own, and the cluster comes to rest before the next one begins. The peers
// find an empty home each time, as they do on a fresh runner. promote's whole run counts: GitHub, AWS, the registry, the lock,
// its dry run, the switch, the removal of the release before, and the evidence. GitHub and AWS are doubles on localhost.
// Times are taken on the direct way to the API server; requests and bytes in runs of their own, through a counting front.
//
//	benchdeploy -action bin/deploy -kubectl bin/kubectl -helm bin/helm
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "benchdeploy: %v\n", err)
		os.Exit(1)
	}
}

// settings are the command's flags. Paths are absolute.
type settings struct {
	action, kubectl, helm string
	rounds, history       int
	only                  string
	trace, fallback       bool
}

func run(ctx context.Context, args []string) error {
	s, err := readSettings(args)
	if err != nil {
		return err
	}
	w, err := newWorld(ctx, s)
	if err != nil {
		return err
	}
	defer w.close()
	for _, part := range parts {
		if s.only != "" && s.only != part.name {
			continue
		}
		fmt.Fprintf(os.Stderr, "measuring %s …\n", part.name)
		if err := part.measure(ctx, w); err != nil {
			return fmt.Errorf("measuring %s: %w", part.name, err)
		}
	}
	fmt.Print(w.table.String())
	return nil
}

// parts are what is measured, in this order.
var parts = []struct {
	name    string
	measure func(context.Context, *world) error
}{
	{"service", measureService},
	{"objects", measureObjects},
	{"failure", measureFailure},
	{"start", measureStart},
	{"render", measureRender},
	{"secrets", measureSecrets},
}

func readSettings(args []string) (settings, error) {
	var s settings
	var names []string
	for _, part := range parts {
		names = append(names, part.name)
	}
	flags := flag.NewFlagSet("benchdeploy", flag.ContinueOnError)
	flags.StringVar(&s.action, "action", "", "program of the action deploy")
	flags.StringVar(&s.kubectl, "kubectl", "", "program kubectl")
	flags.StringVar(&s.helm, "helm", "", "program helm")
	flags.IntVar(&s.rounds, "rounds", 7, "how often each is measured; at least 7")
	flags.IntVar(&s.history, "history", 10, "how many releases each has brought out before upgrades are measured")
	flags.StringVar(&s.only, "only", "", "measure one part only: "+strings.Join(names, ", "))
	flags.BoolVar(&s.fallback, "fallback", false, "use the lab's registry, which has no referrers API, so that evidence is listed in a tag")
	flags.BoolVar(&s.trace, "trace", false, "show on stderr when each line of promote's output came, and each request of its counted runs")
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	if s.rounds < 7 {
		return s, fmt.Errorf("reading -rounds %d: a median of fewer than 7 says little", s.rounds)
	}
	if s.only != "" && !strings.Contains(" "+strings.Join(names, " ")+" ", " "+s.only+" ") {
		return s, fmt.Errorf("reading -only %q: there is %s", s.only, strings.Join(names, ", "))
	}
	for _, path := range []*string{&s.action, &s.kubectl, &s.helm} {
		absolute, err := filepath.Abs(*path)
		if err != nil {
			return s, err
		}
		if _, err := os.Stat(absolute); err != nil || *path == "" {
			return s, fmt.Errorf("finding %q: give -action, -kubectl and -helm: %w", *path, err)
		}
		*path = absolute
	}
	return s, nil
}
