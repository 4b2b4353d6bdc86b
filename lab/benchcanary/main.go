// Command benchcanary compares what becomes of a bad candidate under promote's action canary, under Argo Rollouts and under
// Flagger, in one run, on the lab's cluster: with the same service, the same clients, the same fault and the same Prometheus. It
// counts the requests that failed, and the time from the fault to the last request that a candidate's pod answered; once as it is,
// once with the orchestrator SIGKILLed at the fault, and once with a service that ends the moment it is told to. It prints medians,
// ranges, ratios, and whether each goal is met; a goal that is missed is no error, a contender that never takes its candidate back is.
//
// All have eight pods, 50 requests a second on connections that are kept for about a second, and half of the candidate's answers are
// 500 from one moment on, which is drawn anew for each round and the same for all of them. The peers measure every 10 seconds, which
// is Flagger's floor, and tolerate no failure. promote has its defaults.
//
// The peers' controllers run as processes of their own with the lab's admin kubeconfig, with the custom resources of their own
// modules, which are removed at the end.
//
//	benchcanary -canary bin/canary -argo bin/rollouts-controller -argo-crds …/manifests/crds -flagger bin/flagger -flagger-crds …/crd.yaml
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "benchcanary: %v\n", err)
		os.Exit(1)
	}
}

// settings are the command's flags. Paths are absolute.
type settings struct {
	canary, argo, argoCRDs, flagger, flaggerCRDs string
	runs                                         int
	seed                                         uint64
	only, json                                   string
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
	defer w.close(ctx)
	t := table{runs: s.runs}
	for _, scenario := range scenarios {
		if s.only != "" && s.only != scenario.Name {
			continue
		}
		outcomes, err := w.play(ctx, scenario)
		if err != nil {
			return fmt.Errorf("measuring %s: %w", scenario.Name, err)
		}
		// At once, so that what goes wrong later takes nothing away.
		fmt.Print(t.add(scenario, outcomes))
		if s.json == "" {
			continue
		}
		if err := t.save(s.json); err != nil {
			return err
		}
	}
	return nil
}

func readSettings(args []string) (settings, error) {
	var s settings
	var names []string
	for _, scenario := range scenarios {
		names = append(names, scenario.Name)
	}
	flags := flag.NewFlagSet("benchcanary", flag.ContinueOnError)
	flags.StringVar(&s.canary, "canary", "", "program of the action canary, linked statically: the watchdog runs where there are no libraries")
	flags.StringVar(&s.argo, "argo", "", "program of Argo Rollouts' controller")
	flags.StringVar(&s.argoCRDs, "argo-crds", "", "folder of its custom resources' definitions")
	flags.StringVar(&s.flagger, "flagger", "", "program of Flagger's controller")
	flags.StringVar(&s.flaggerCRDs, "flagger-crds", "", "file of its custom resources' definitions")
	flags.IntVar(&s.runs, "runs", 5, "how often each is measured in each scenario; at least 3")
	flags.Uint64Var(&s.seed, "seed", 1, "draws the moments of the faults; the same seed, the same moments")
	flags.StringVar(&s.only, "only", "", "measure one scenario only: "+strings.Join(names, ", "))
	flags.StringVar(&s.json, "json", "", "file for every single outcome, as JSON; empty is none")
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	if s.runs < 3 {
		return s, fmt.Errorf("reading -runs %d: a median of fewer than 3 says nothing", s.runs)
	}
	if s.only != "" && !slices.Contains(names, s.only) {
		return s, fmt.Errorf("reading -only %q: there is %s", s.only, strings.Join(names, ", "))
	}
	for _, path := range []*string{&s.canary, &s.argo, &s.argoCRDs, &s.flagger, &s.flaggerCRDs} {
		absolute, err := filepath.Abs(*path)
		if err != nil {
			return s, err
		}
		if _, err := os.Stat(absolute); err != nil || *path == "" {
			return s, fmt.Errorf("finding %q: give -canary, -argo, -argo-crds, -flagger and -flagger-crds: %w", *path, err)
		}
		*path = absolute
	}
	return s, nil
}
