package main

import (
	"strings"
	"testing"
	"time"
)

func TestOutputIsStampedAndAFailureIsAnOutcome(t *testing.T) {
	script := "echo ::group::Wait for 1; sleep 0.2; echo Service/a/web now selects 1; exit 3"
	out, err := commands(t.Context(), t.TempDir(), nil, func() usage { return usage{requests: 7} }, step{"/bin/sh", []string{"-c", script}}, step{"/bin/sh", []string{"-c", "echo never"}})
	if err != nil {
		t.Fatal(err)
	}
	if !out.failed || strings.Contains(out.output, "never") {
		t.Errorf("got failed %v with output %q, want the first step to end the run", out.failed, out.output)
	}
	if out.served.requests != 7 {
		t.Errorf("got %d requests until it serves", out.served.requests)
	}
	if out.applied <= 0 || out.serves-out.applied < 150*time.Millisecond || out.took < out.serves {
		t.Errorf("got applied after %s, serving after %s, ended after %s", out.applied, out.serves, out.took)
	}
}

func TestFirstRequestIsTheFirstSinceItWasForgotten(t *testing.T) {
	var f firstRequest
	began := time.Now()
	if got := f.since(began); got != 0 {
		t.Errorf("got %s before any request", got)
	}
	f.at.Store(began.Add(time.Second).UnixNano())
	f.forget()
	f.at.CompareAndSwap(0, began.Add(2*time.Second).UnixNano())
	f.at.CompareAndSwap(0, began.Add(3*time.Second).UnixNano())
	if got := f.since(began); got.Round(time.Millisecond) != 2*time.Second {
		t.Errorf("got %s, want 2s", got)
	}
}
