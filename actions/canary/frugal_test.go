package main

import (
	"runtime/debug"
	"testing"
)

func TestTheProcessIsFrugalUnlessItIsToldOtherwise(t *testing.T) {
	const before = 77
	for variable, want := range map[string]int{"": gcPercent, "GOGC": before, "GOMEMLIMIT": before} {
		old := debug.SetGCPercent(before)
		frugal(func(name string) string {
			if name == variable {
				return "200"
			}
			return ""
		})
		if got := debug.SetGCPercent(old); got != want {
			t.Errorf("with %q set the heap grows by %d %%, want %d", variable, got, want)
		}
	}
}
