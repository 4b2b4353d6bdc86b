package load

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"
)

// Main is the verb `lab load`: it sends what the arguments say, until done or ctx ends, and prints the summary.
// It returns an error when any request failed, so that scripts can rely on its exit code, and
// [flag.ErrHelp] when only help was asked for.
func Main(ctx context.Context, args []string) error {
	return command(ctx, args, os.Stdout, os.Stderr)
}

func command(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	config := Config{}
	flags := flag.NewFlagSet("load", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&config.URL, "url", "", "where the service is, e.g. http://198.19.128.1 (required)")
	flags.Float64Var(&config.Rate, "rate", 50, "requests per second")
	flags.DurationVar(&config.Duration, "duration", 30*time.Second, "how long to send; 0: until interrupted")
	flags.Float64Var(&config.KeepAlive, "keepalive", 0.5, "share of requests on kept connections, 0 to 1")
	flags.DurationVar(&config.Timeout, "timeout", 10*time.Second, "how long to wait for an answer")
	flags.StringVar(&config.Resolver, "resolver", "", "name server to look the host up at, e.g. 127.0.0.1:5353; default: as this machine does")
	currency := flags.String("currency", "EUR", "currency of the shop's orders")
	path := flags.String("path", "", "GET this path instead of placing and reading orders")
	log := flags.String("log", "", "file for a line of JSON per response")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("reading arguments of load: %q is not a flag; see load -help", flags.Arg(0))
	}
	config.Scenario = Checkout(*currency)
	if *path != "" {
		config.Scenario = Get(*path)
	}
	if *log != "" {
		file, failed := os.Create(*log)
		if failed != nil {
			return fmt.Errorf("creating the log: %w", failed)
		}
		defer func() { err = errors.Join(err, file.Close()) }()
		config.Log = file
	}
	run, err := Start(ctx, config)
	if err != nil {
		return err
	}
	records, err := run.Wait()
	summary := Summarize(records)
	fmt.Fprint(stdout, summary)
	fmt.Fprintf(stdout, "sent late by up to %s\n", run.Lag())
	if summary.Failures > 0 {
		err = errors.Join(err, fmt.Errorf("sending load to %q: %d of %d requests failed", config.URL, summary.Failures, summary.Requests))
	}
	return err
}
