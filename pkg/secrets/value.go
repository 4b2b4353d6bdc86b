package secrets

import (
	"context"
	"fmt"
	"io"
	"log/slog"
)

// Resolver looks values up. It answers for every ref, or returns one error that names every ref it could not answer.
type Resolver interface {
	// Resolve reads what is current.
	Resolve(ctx context.Context, refs []Ref) (map[Ref]Value, error)
	// ResolveAt reads each ref at a version that an earlier Value had, so that a rollback gets the values it was proven with.
	// A version that the store no longer has is an error; what is current never stands in for it.
	ResolveAt(ctx context.Context, versions map[Ref]string) (map[Ref]Value, error)
}

// Value is what a store holds under a Ref.
type Value struct {
	Data Bytes
	// Version identifies the version that was read: the VersionId of a secret, "<version>@<unix milliseconds of the last
	// change>" of a parameter. It may be shown and stored.
	Version string
	// Binary says that the store holds bytes (SecretBinary) and not text, whatever they read like.
	Binary bool
}

// Bytes is secret data. It prints as "(secret)" with every verb of fmt, in JSON, in text encodings and in slog; the data is
// only had by converting it to []byte or string on purpose.
type Bytes []byte

const hidden = "(secret)"

// String returns "(secret)".
func (Bytes) String() string { return hidden }

// GoString returns "(secret)".
func (Bytes) GoString() string { return hidden }

// Format prints "(secret)" for every verb and flag: %x, %q and %d would each print the data.
func (Bytes) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// MarshalJSON returns the JSON string "(secret)".
func (Bytes) MarshalJSON() ([]byte, error) { return []byte(`"` + hidden + `"`), nil }

// MarshalText returns "(secret)", which covers YAML and XML encoders.
func (Bytes) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// LogValue returns "(secret)".
func (Bytes) LogValue() slog.Value { return slog.StringValue(hidden) }
