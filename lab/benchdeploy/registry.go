package main

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"
)

// serveRegistry is a registry on loopback that lists what refers to an image, as Amazon's does. The lab's own cannot: there a
// statement of evidence is looked for again after a second, since other writers could have replaced the list.
func (w *world) serveRegistry(ctx context.Context) (host string, err error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	server := &http.Server{
		Handler:           registry.New(registry.Logger(log.New(io.Discard, "", 0)), registry.WithReferrersSupport(true)),
		ReadHeaderTimeout: 10 * time.Second,
	}
	go func() { _ = server.Serve(listener) }() // ends with the world
	w.undo = append(w.undo, func() { _ = server.Close() })
	return listener.Addr().String(), nil
}
