// Command benchbuild compares ways to bring a small Go service into a registry: promote's builder go and its action build
// against ko, and against `go build` with `crane append`, in one run on the same machine, source, base and registry. It
// prints medians and ratios, so that the machine's own speed says nothing. It refuses a contender that fails, and says so
// when builder go gives different digests for the same source.
//
//	benchbuild -source ../examples/checkout -action bin/build -ko bin/ko -crane bin/crane
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "benchbuild: %v\n", err)
		os.Exit(1)
	}
}

// settings are the command's flags. Paths are absolute.
type settings struct {
	source, action, ko, crane string
	rounds                    int
}

func run(ctx context.Context, args []string) error {
	if len(args) > 0 && args[0] == onceVerb {
		return buildOnce(ctx, args[1:], os.Stdout)
	}
	flags := flag.NewFlagSet("benchbuild", flag.ContinueOnError)
	var s settings
	flags.StringVar(&s.source, "source", "", "folder of the Go service")
	flags.StringVar(&s.action, "action", "", "program of the action build")
	flags.StringVar(&s.ko, "ko", "", "program ko")
	flags.StringVar(&s.crane, "crane", "", "program crane")
	flags.IntVar(&s.rounds, "rounds", 9, "how often each is measured; at least 7")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if s.rounds < 7 {
		return fmt.Errorf("reading -rounds %d: a median of fewer than 7 says little", s.rounds)
	}
	for _, path := range []*string{&s.source, &s.action, &s.ko, &s.crane} {
		absolute, err := filepath.Abs(*path)
		if err != nil {
			return err
		}
		if _, err := os.Stat(absolute); err != nil || *path == "" {
			return fmt.Errorf("finding %q: give -source, -action, -ko and -crane: %w", *path, err)
		}
		*path = absolute
	}
	return measure(ctx, s)
}
