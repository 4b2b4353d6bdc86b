// Command benchverdict measures how soon a verdict tells a bad candidate from a good one: promote's sequential test against the
// rules of Argo Rollouts, Flagger and Kayenta, written anew from what their documentation says they do. It simulates whole
// runs from fixed seeds, needs no cluster, and prints for each kind of candidate how many requests it had answered when it was
// taken back, how many of them were bad, and whether each goal is met; a goal that is missed is no error.
//
// Everybody looks every second at the same traffic. The peers' thresholds are tuned on healthy runs of the very rate that is
// then simulated, so that they roll back at most 1 % of them, and of all their settings the one counts that is quickest for
// the row. That favours them: nobody knows these rates beforehand, and promote is not told them. A second table has the
// peers with the settings of their documentation.
//
//	benchverdict -runs 1000
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "benchverdict: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("benchverdict", flag.ContinueOnError)
	runs := flags.Int("runs", 1000, "how many runs are simulated for each row, healthy and bad; at least 100")
	only := flags.String("only", "", "simulate those rows alone whose name holds this, for instance \"1 -> 3\"")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *runs < 100 {
		return fmt.Errorf("reading -runs %d: 1 %% of fewer than 100 runs is none", *runs)
	}
	t := table{runs: *runs}
	for _, s := range scenarios {
		if !strings.Contains(s.name, *only) {
			continue
		}
		fmt.Fprintf(os.Stderr, "simulating %s …\n", s.name)
		t.add(measure(s, *runs))
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	for _, s := range healthy {
		if !strings.Contains(s.name, *only) {
			continue
		}
		fmt.Fprintf(os.Stderr, "simulating %s …\n", s.name)
		t.addHealthy(measureHealthy(s, *runs))
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	t.passes = passesWithoutTraffic()
	fmt.Print(t.String())
	return nil
}
