package main

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// images is a registry on loopback that counts the bytes of blobs it is sent.
type images struct {
	host, base string
	bytes      atomic.Int64
	server     *http.Server
}

func serveRegistry(ctx context.Context) (*images, error) {
	r := &images{}
	inner := registry.New(registry.Logger(log.New(io.Discard, "", 0)), registry.WithReferrersSupport(true))
	r.server = &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if strings.Contains(req.URL.Path, "/blobs/uploads/") {
			req.Body = &counted{req.Body, &r.bytes}
		}
		inner.ServeHTTP(w, req)
	})}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	go func() { _ = r.server.Serve(listener) }() // ends with close
	r.host = listener.Addr().String()
	r.base = r.host + "/base:1"
	return r, r.pushBase()
}

// pushBase makes a small base image, the same for all.
func (r *images) pushBase() error {
	img, err := random.Image(64<<10, 1)
	if err != nil {
		return err
	}
	config, err := img.ConfigFile()
	if err != nil {
		return err
	}
	config.OS, config.Architecture = "linux", "amd64"
	config.Config = v1.Config{User: "65532"}
	if img, err = mutate.ConfigFile(img, config); err != nil {
		return err
	}
	ref, err := name.NewTag(r.base)
	if err != nil {
		return err
	}
	return remote.Write(ref, img)
}

func (r *images) close() { _ = r.server.Close() }

// counted adds up what is read.
type counted struct {
	io.ReadCloser
	total *atomic.Int64
}

// Read implements [io.Reader].
func (c *counted) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.total.Add(int64(n))
	return n, err
}
