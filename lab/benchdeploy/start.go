package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// measureStart takes the time from the start of a process until its first request: promote's goes to GitHub, the peers' to the
// API server. All have nothing else to do: they bring out what is there already.
func measureStart(ctx context.Context, w *world) error {
	all, err := w.contenders(ctx, peerTime)
	if err != nil {
		return err
	}
	r := results{timed: map[string][]outcome{}}
	for round := range w.rounds + 1 {
		for _, c := range all {
			out, err := c.must(ctx, serviceObjects(c.words, "v1"), c.deploy, true)
			if err != nil {
				return err
			}
			if out.first == 0 {
				return fmt.Errorf("running %s: %w", c.name, errors.New("it sent nothing"))
			}
			if round > 0 { // the first brings it out
				r.timed[c.name] = append(r.timed[c.name], out)
			}
		}
	}
	t := r.all(func(o []outcome) float64 { return seconds(o, func(o outcome) time.Duration { return o.first }) }, r.timed)
	w.table.add(row{what: "process start to its first request", unit: "s", values: t, goals: []goal{within(t[0]*1000, 60, "ms")}})
	return nil
}
