package manifest

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// onAllCores calls do for every i from 0 to n-1, on as many cores as there are, and returns when all have returned.
func onAllCores(n int, do func(i int)) {
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), n) {
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				do(i)
			}
		})
	}
	workers.Wait()
}
