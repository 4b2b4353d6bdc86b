package metrics

import (
	"errors"

	"github.com/org/promote/pkg/mask"
)

// veil keeps an adapter's own credentials out of its errors: a server may repeat what it was sent.
type veil struct{ secrets mask.Set }

func newVeil(secrets ...string) *veil {
	v := &veil{}
	for _, s := range secrets {
		v.secrets.Add([]byte(s))
	}
	return v
}

// over is err without the credentials.
func (v *veil) over(err error) error {
	var unusable *UnusableError
	switch {
	case err == nil || !v.secrets.Holds(err.Error()):
		return err
	case errors.As(err, &unusable):
		return &UnusableError{Fault: unusable.Fault, Detail: v.secrets.Text(unusable.Detail)}
	}
	return &veiled{text: v.secrets.Text(err.Error()), cause: err}
}

type veiled struct {
	text  string
	cause error
}

func (e *veiled) Error() string { return e.text }

func (e *veiled) Unwrap() error { return e.cause }
