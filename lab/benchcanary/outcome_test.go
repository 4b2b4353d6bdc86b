package main

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	generator "github.com/org/promote/lab/load"
)

// TestARoundIsCountedFromItsFault has failures before the fault, at it, and after the last request that met the candidate.
func TestARoundIsCountedFromItsFault(t *testing.T) {
	fault := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	at := func(seconds float64, version string, status int, trouble string) generator.Record {
		return generator.Record{Time: fault.Add(time.Duration(seconds * float64(time.Second))), Version: version, Status: status, Error: trouble}
	}
	got := evaluate([]generator.Record{
		at(-9, "new", 200, ""), // before the share is measured
		at(-4, "old", 200, ""), at(-3, "old", 200, ""), at(-2, "new", 200, ""),
		at(-1, "", 0, "dial: connection refused"), // counted as refused, and before the fault
		at(0, "new", 500, ""),
		at(1, "old", 200, ""),
		at(2.5, "new", 200, ""),
		at(3, "", 0, "read: connection reset by peer"),
		at(4, "old", 200, ""),
	}, "new", fault)
	want := outcome{Share: 0.25, Last: 2.5, Failed: 2, Requests: 4, Refused: 1, Broken: 1}
	if diff := cmp.Diff(want, got, cmpopts.EquateApprox(0, 1e-9)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestACandidateThatNoRequestMetIsSafeAtOnce(t *testing.T) {
	if got := evaluate([]generator.Record{{Time: time.Now(), Version: "old", Status: 200}}, "new", time.Now().Add(-time.Second)); got.Last != 0 {
		t.Errorf("got %+v", got)
	}
}

func TestTheMomentsOfTheFaultsCoverTheInterval(t *testing.T) {
	for seed := range uint64(20) {
		all := slices.Sorted(slices.Values(moments(seed, 5)))
		for i, m := range all {
			if part := interval / 5; m < time.Duration(i)*part || m >= time.Duration(i+1)*part {
				t.Errorf("seed %d: moment %d is %s, beyond its fifth of %s", seed, i, m, interval)
			}
		}
	}
	if diff := cmp.Diff(moments(1, 5), moments(1, 5)); diff != "" {
		t.Errorf("the same seed gives other moments: %s", diff)
	}
}
