// Command record makes each case of a workload that does not come up in the running lab, in a namespace of its own, and
// writes what Kubernetes said to the case's folder. Names of cases as arguments choose among them.
//
//	cd lab && go run ./record            # all: about two minutes; a lost node alone takes one to be noticed
//	cd lab && go run ./record crash-loop
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/org/promote/lab/failing"
	"github.com/org/promote/lab/world"
)

// together is how many cases are made at a time: more would disturb each other's times.
const together = 6

func main() {
	dir := flag.String("dir", "../pkg/cluster/testdata/recorded", "the folder of the cases")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, *dir, flag.Args())
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, dir string, names []string) error {
	cases, err := failing.Load(dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		if !slices.ContainsFunc(cases, func(c failing.Case) bool { return c.Name == name }) {
			return fmt.Errorf("choosing the case %q: there is none in %q", name, dir)
		}
	}
	if len(names) > 0 {
		cases = slices.DeleteFunc(cases, func(c failing.Case) bool { return !slices.Contains(names, c.Name) })
	}
	lab, err := world.Load(world.DefaultDir())
	if err != nil {
		return err
	}
	w, err := failing.Start(ctx, lab)
	if err != nil {
		return err
	}
	defer w.Close()
	// The longest first, so that the others pass beside it.
	slices.SortStableFunc(cases, func(a, b failing.Case) int { return int(b.For.Duration - a.For.Duration) })
	place, results := make(chan struct{}, together), make(chan error, len(cases))
	for _, c := range cases {
		place <- struct{}{}
		go func() {
			begun := time.Now()
			n, err := w.Record(ctx, c)
			<-place
			if err != nil {
				err = fmt.Errorf("recording %q: %w", c.Name, err)
			} else {
				fmt.Printf("%-24s %3d changes in %s\n", c.Name, n, time.Since(begun).Round(time.Second))
			}
			results <- err
		}()
	}
	var errs []error
	for range cases {
		errs = append(errs, <-results)
	}
	return errors.Join(errs...)
}
