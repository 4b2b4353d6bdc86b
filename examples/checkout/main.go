// Checkout prices carts and signs the receipts: a small, real service that shows
// how a service is promoted from a commit to production.
//
// All that differs between environments comes from the process's environment:
// see [Config]. It keeps nothing between requests (an order's id carries the order), so
// replicas of any number of releases can answer for each other.
//
//	PAYMENT_KEY=… TAX_PERCENT=19 checkout
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"example.com/checkout/internal/api"
)

// readHeaderTimeout ends connections that trickle their headers in.
const readHeaderTimeout = 5 * time.Second

// idleTimeout is longer than that of the usual load balancer (60 s): the side that
// closes an idle connection must be the one that sends the requests, or some are lost.
const idleTimeout = 120 * time.Second

func main() {
	log := slog.New(slog.NewJSONHandler(os.Stdout, nil))
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := run(ctx, os.Getenv, log); err != nil {
		log.Error("stopped", "error", err.Error())
		os.Exit(1)
	}
}

// run serves until ctx ends, then drains. It returns nil after a clean shutdown.
func run(ctx context.Context, getenv func(string) string, log *slog.Logger) error {
	cfg, err := ReadConfig(getenv)
	if err != nil {
		return fmt.Errorf("reading configuration: %w", err)
	}
	listener, err := net.Listen("tcp", cfg.Address)
	if err != nil {
		return fmt.Errorf("listening on %q: %w", cfg.Address, err)
	}
	log.Info("serving", "address", listener.Addr().String(), "version", cfg.Version)
	return serve(ctx, listener, api.New(cfg.Shop(), log), cfg.Drain, log)
}

// serve answers on listener until ctx ends and then shuts down without losing a
// request, in three phases:
//
//  1. For drain, everything is still answered, but readiness says no and each
//     answer carries "Connection: close", so that clients which reuse connections
//     leave on their own account.
//  2. The listener closes, idle connections with it: whoever still has one has not used
//     it for the whole of drain.
//  3. What is in flight is finished, for at most another drain.
func serve(ctx context.Context, listener net.Listener, shop *api.API, drain time.Duration, log *slog.Logger) error {
	server := &http.Server{
		Handler:           shop,
		ReadHeaderTimeout: readHeaderTimeout,
		IdleTimeout:       idleTimeout,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()

	select {
	case err := <-served:
		return fmt.Errorf("serving: %w", err)
	case <-ctx.Done():
	}
	log.Info("draining", "for", drain.String())
	shop.Drain()
	wait(served, drain)

	bounded, cancel := context.WithTimeout(context.Background(), max(drain, time.Second))
	defer cancel()
	if err := server.Shutdown(bounded); err != nil {
		return errors.Join(fmt.Errorf("finishing requests in flight: %w", err), server.Close())
	}
	log.Info("stopped")
	return nil
}

// wait returns after d, or as soon as the server is no longer there to wait for.
func wait(served <-chan error, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-served:
	case <-timer.C:
	}
}
