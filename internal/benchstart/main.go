// Command benchstart tells how large the four programs are and how long they take to start: built as install.sh builds them,
// started as an action starts them, without a single input, so that each loads all it is made of, finds that the required ones
// are missing, says so and ends. It tells beside it what install.sh adds when the program is in its cache. It refuses a
// program that ends otherwise, and one that is larger than its goal.
//
//	go run ./internal/benchstart
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "benchstart: %v\n", err)
		os.Exit(1)
	}
}

// goals are the largest that the programs may be, in MB of a million bytes.
var goals = []struct {
	action string
	size   float64
}{{"unit-test", 15}, {"build", 35}, {"deploy", 50}, {"canary", 50}}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("benchstart", flag.ContinueOnError)
	rounds := flags.Int("rounds", 31, "how often each is started; at least 7")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *rounds < 7 {
		return fmt.Errorf("reading -rounds %d: a median of fewer than 7 says little", *rounds)
	}
	place, err := os.MkdirTemp("", "benchstart")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(place) }()
	var missed []string
	fmt.Fprintln(out, "| program | MB | goal | packed MB | start, median (min–max) ms | with install.sh | it adds |")
	fmt.Fprintln(out, "| --- | --- | --- | --- | --- | --- | --- |")
	for _, goal := range goals {
		p, err := prepare(ctx, place, goal.action)
		if err != nil {
			return err
		}
		alone, shimmed, err := p.measure(ctx, *rounds)
		if err != nil {
			return err
		}
		verdict := "met"
		if p.size > goal.size {
			verdict = "missed"
			missed = append(missed, fmt.Sprintf("%s has %.1f MB, its goal is %.0f", goal.action, p.size, goal.size))
		}
		fmt.Fprintf(out, "| %s | %.1f | %.0f, %s | %.1f | %s | %s | %.0f |\n", goal.action, p.size, goal.size, verdict, p.packed, alone, shimmed, shimmed.median-alone.median)
	}
	if len(missed) > 0 {
		return fmt.Errorf("%s; `go tool nm -size -sort size` on a program that is not stripped tells what is in it, and docs/delivery.md what makes it large", strings.Join(missed, "; "))
	}
	return nil
}
