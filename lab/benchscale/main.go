// Command benchscale runs many canaries at once against the lab's real API server and measures what each costs it, and what each
// costs the machine that runs it: requests by verb and resource, for a canary and for a minute of one, and the peak memory of one
// process. The pods are simulated by kwok on nodes of their own, so that thousands of them need no containers; the API server, the
// controllers, the scheduler and the processes of the action canary are the real ones, with their real inputs.
//
// No real monitor can ask a simulated pod. The processes ask a small server that speaks Prometheus' HTTP API and makes the counts up,
// as often as they would ask a real one. GitHub and the registry are doubles on localhost.
//
// A canary that does not end promoted is an error, which comes after the numbers. Everything it made goes when it ends, also when it is
// interrupted; what a killed one left, the next one removes.
//
//	benchscale -action bin/canary -kwok bin/kwok -stages …/kustomize/stage
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "benchscale: %v\n", err)
		os.Exit(1)
	}
}

// settings are the command's flags. Paths are absolute.
type settings struct {
	action, kwok, stages  string
	canaries, pods, large int
	step                  time.Duration
	only, json            string
	trace                 bool
}

// part is one measurement: so many canaries at once, of services of so many pods.
type part struct {
	name           string
	canaries, pods int
	// guarded says that each canary has its watchdog, which is a real pod.
	guarded bool
}

// parts are what is measured, in this order. A hundred watchdogs would be a hundred containers on this one machine, where in a
// cluster they are spread over its nodes: only the canary that is alone has one.
func (s settings) parts() []part {
	return []part{
		{name: "alone", canaries: 1, pods: s.pods, guarded: true},
		{name: "large", canaries: 1, pods: s.large},
		{name: "many", canaries: s.canaries, pods: s.pods},
	}
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
	var all []measured
	var complaints []error
	for _, p := range s.parts() {
		if s.only != "" && s.only != p.name {
			continue
		}
		m, err := w.measure(ctx, p)
		if err != nil {
			return fmt.Errorf("measuring %s: %w", p.name, err)
		}
		all, complaints = append(all, m), append(complaints, m.complaint())
	}
	fmt.Print(table(all))
	if s.json != "" {
		complaints = append(complaints, writeJSON(s.json, all))
	}
	return errors.Join(complaints...)
}

func readSettings(args []string) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("benchscale", flag.ContinueOnError)
	flags.StringVar(&s.action, "action", "", "program of the action canary")
	flags.StringVar(&s.kwok, "kwok", "", "program kwok")
	flags.StringVar(&s.stages, "stages", "", "folder kustomize/stage of kwok's module: what becomes of a node and of a pod")
	flags.IntVar(&s.canaries, "canaries", 100, "how many run at once in the part many")
	flags.IntVar(&s.pods, "pods", 20, "pods of a service")
	flags.IntVar(&s.large, "large", 200, "pods of the service in the part large")
	flags.DurationVar(&s.step, "step", time.Minute, "step-duration of every canary")
	flags.StringVar(&s.only, "only", "", "measure one part only: alone, large, many")
	flags.StringVar(&s.json, "json", "", "file that the numbers are written to as JSON, too")
	flags.BoolVar(&s.trace, "trace", false, "show on stderr what every canary printed")
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	if s.canaries < 1 || s.pods < 2 || s.large < 2 {
		return s, fmt.Errorf("reading -canaries %d, -pods %d, -large %d: there is at least 1 canary, of 2 pods", s.canaries, s.pods, s.large)
	}
	names := []string{""}
	for _, p := range s.parts() {
		names = append(names, p.name)
	}
	if !slices.Contains(names, s.only) {
		return s, fmt.Errorf("reading -only %q: there is %s", s.only, strings.Join(names[1:], ", "))
	}
	for _, path := range []*string{&s.action, &s.kwok, &s.stages} {
		absolute, err := filepath.Abs(*path)
		if err != nil {
			return s, err
		}
		if _, err := os.Stat(absolute); err != nil || *path == "" {
			return s, fmt.Errorf("finding %q: give -action, -kwok and -stages: %w", *path, err)
		}
		*path = absolute
	}
	return s, nil
}
