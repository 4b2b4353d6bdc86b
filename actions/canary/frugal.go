package main

import "runtime/debug"

// gcPercent is how much the heap may grow from one collection to the next, in percent of what is in use. A canary waits nearly all
// the time, and one machine may run a hundred of them: memory is worth more here than the moments that a collection takes. With Go's
// own 100 a service of 200 pods took 89 MB, and `make bench-scale` holds it to 80.
const gcPercent = 30

// frugal makes the process need little memory, unless its environment says how it is to collect.
func frugal(getenv func(string) string) {
	if getenv("GOGC") == "" && getenv("GOMEMLIMIT") == "" {
		debug.SetGCPercent(gcPercent)
	}
}
