package cluster

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// each runs do for every item, several at a time, and gives all errors at once, in the items' order.
func each[T any](ctx context.Context, items []T, do func(context.Context, T) error) error {
	errs := make([]error, len(items))
	slots := make(chan struct{}, parallel)
	var wg sync.WaitGroup
	for i, item := range items {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			errs[i] = do(ctx, item)
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// subject is how an object of this namespace is named in errors.
func (c *Cluster) subject(kind, name string) string {
	return kind + "/" + c.Namespace + "/" + name
}

// failed wraps an API error, with secret values taken out of the API server's own words; nil stays nil.
func (c *Cluster) failed(doing string, err error) error {
	if err == nil {
		return nil
	}
	if text := err.Error(); c.redact(text) != text {
		return fmt.Errorf("%s: %w", doing, &redacted{err, c.redact(text)})
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// redacted is an error whose words were cleaned; what kind of error it is stays visible to errors.As.
type redacted struct {
	cause error
	text  string
}

func (r *redacted) Error() string { return r.text }
func (r *redacted) Unwrap() error { return r.cause }
