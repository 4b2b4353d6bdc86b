package secrets

import (
	"maps"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"
)

// parallelCalls is how many calls to one store are under way at once. It hides the round trips of 200 secrets in two of them,
// and stays far below the 40 calls a second that Parameter Store allows by default.
const parallelCalls = 8

// inBatches asks for the ids in batches of size, several at once, and gathers what they gave. The problems are in the order of
// the ids. A call that fails is not made again here: the SDK has done so already.
func inBatches(ids []string, size int, read func(batch []string) (map[string]found, []error)) (map[string]found, []error) {
	batches := slices.Collect(slices.Chunk(ids, size))
	failed := make([][]error, len(batches))
	answers := map[string]found{}
	var mu sync.Mutex
	var calls errgroup.Group
	calls.SetLimit(parallelCalls)
	for i, batch := range batches {
		calls.Go(func() error {
			some, problems := read(batch)
			mu.Lock()
			defer mu.Unlock()
			maps.Copy(answers, some)
			failed[i] = problems
			return nil
		})
	}
	_ = calls.Wait() // No call returns an error: what failed is among the problems.
	return answers, slices.Concat(failed...)
}
