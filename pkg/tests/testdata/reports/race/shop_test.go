package shop

import (
	"sync"
	"testing"
)

func TestRace(t *testing.T) {
	var n int
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() { n++ })
	}
	wg.Wait()
}

func TestSum(t *testing.T) {}
