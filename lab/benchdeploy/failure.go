package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"
)

// failurePatience is the whole time-out that the peers are given; theirs by default are five and ten minutes.
const failurePatience = 20 * time.Second

// measureFailure brings out a pod whose second image was never pushed, and looks who says so. The peers only wait, so both do it
// at the same time.
func measureFailure(ctx context.Context, w *world) error {
	all, err := w.contenders(ctx, failurePatience)
	if err != nil {
		return err
	}
	next, gone := versions(), w.repository+"@sha256:"+strings.Repeat("0", 63)+"1"
	broken := func(c *contender) string { return brokenObjects(c.words, next(), gone) }
	r := results{timed: map[string][]outcome{}}
	named := map[string]int{}
	for round := range w.rounds {
		texts, outs, errs := make([]string, len(all)), make([]outcome, len(all)), make([]error, len(all))
		for i, c := range all {
			texts[i] = broken(c)
			errs[i] = c.at.empty(ctx)
		}
		play := func(i int) {
			if errs[i] == nil {
				outs[i], errs[i] = all[i].once(ctx, texts[i], all[i].deploy, false)
			}
		}
		play(0)
		var peers sync.WaitGroup
		for i := 1; i < len(all); i++ {
			peers.Go(func() { play(i) })
		}
		peers.Wait()
		if err := errors.Join(errs...); err != nil {
			return err
		}
		for i, c := range all {
			if !outs[i].failed {
				return fmt.Errorf("running %s: it did not fail", c.name)
			}
			r.timed[c.name] = append(r.timed[c.name], outs[i])
			if strings.Contains(outs[i].output, gone) && strings.Contains(outs[i].output, "not found") {
				named[c.name]++
			}
			fmt.Fprintf(os.Stderr, "failure, round %d, %s: %.3f s\n", round+1, c.name, outs[i].took.Seconds())
		}
	}
	t := r.times()
	w.table.add(row{
		what: fmt.Sprintf("a missing image (the peers' time-out: %s)", failurePatience), unit: "s", values: t, goals: []goal{within(t[0], 5, "s")},
	})
	w.table.add(row{
		what:   fmt.Sprintf("  of %d runs, the image and its cause are named by", w.rounds),
		values: [3]float64{float64(named["promote"]), float64(named["kubectl"]), float64(named["helm"])},
		goals:  []goal{{"in every run", named["promote"] == w.rounds}},
	})
	return nil
}
