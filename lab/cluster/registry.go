package cluster

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry/handlers"
	// The registry keeps its blobs in plain files.
	_ "github.com/distribution/distribution/v3/registry/storage/driver/filesystem"
)

// ServeRegistry is distribution, the reference registry, on plain http until the context ends. Deleting is allowed, because
// what promotes also cleans up. It is distribution's handler without its front end, which would look for traces and metrics to
// send elsewhere.
func ServeRegistry(ctx context.Context, dir, address string) error {
	secret := make([]byte, 16)
	if _, err := rand.Read(secret); err != nil {
		return err
	}
	cfg := &configuration.Configuration{
		Version: configuration.CurrentVersion,
		Storage: configuration.Storage{
			"filesystem": configuration.Parameters{"rootdirectory": dir},
			"delete":     configuration.Parameters{"enabled": true},
		},
	}
	cfg.Catalog.MaxEntries = 1000
	cfg.HTTP.Secret = fmt.Sprintf("%x", secret)
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("opening the registry's port: %w", err)
	}
	server := &http.Server{Handler: handlers.NewApp(ctx, cfg), ReadHeaderTimeout: 10 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serving the registry: %w", err)
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if err := server.Shutdown(last); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("closing the registry: %w", err)
	}
	return nil
}
