//go:build lab

// Package demo plays what `make demo` plays, beside the other tests on the lab.
package demo

import (
	"os"
	"testing"

	"github.com/org/promote/lab/demo"
	"github.com/org/promote/lab/world"
)

// TestDemo plays what `make demo` plays; it fails on everything that the demo's closing table calls wrong.
func TestDemo(t *testing.T) {
	w, err := world.Load(world.DefaultDir())
	if err != nil {
		t.Fatal(err)
	}
	release, err := w.Hold(false)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	if err := demo.Play(t.Context(), w, "../../..", os.Stdout); err != nil {
		t.Fatal(err)
	}
}
