package main

import (
	"context"
	"time"
)

// manyCount is how many small objects are brought out at once.
const manyCount = 500

// measureObjects brings 500 ConfigMaps out, and again. The goals are about the objects, so the peers' times are those until the
// cluster has them: `kubectl apply` alone, and helm without --wait. promote's is until it begins to wait for the one pod.
func measureObjects(ctx context.Context, w *world) error {
	all, err := w.contenders(ctx, peerTime)
	if err != nil {
		return err
	}
	next := versions()
	objects := func(c *contender) string { return manyObjects(c.words, next(), manyCount) }
	first, err := w.play(ctx, all, trial{name: "500 objects, first", before: emptied, objects: objects, do: applying})
	if err != nil {
		return err
	}
	t := first.times()
	ready := t[0]
	t[0] = seconds(first.timed["promote"], func(o outcome) time.Duration { return o.applied })
	w.table.add(row{what: "500 objects, the first time: in the cluster", unit: "s", values: t, goals: []goal{atMost(t[0], 0.3, min(t[1], t[2]), "the faster")}})
	w.table.add(row{what: "  promote's whole run, until the pod serves", unit: "s", values: [3]float64{ready, missing, missing}})
	w.table.add(row{what: "  requests to the API server", values: first.requests()})

	same := repeated(objects)
	for _, c := range all {
		if _, err := c.must(ctx, same(c), c.deploy, false); err != nil {
			return err
		}
	}
	again, err := w.play(ctx, all, trial{name: "500 objects, again", objects: same, do: applying})
	if err != nil {
		return err
	}
	t = again.times()
	w.table.add(row{what: "500 objects, nothing to do: the whole run", unit: "s", values: t, goals: []goal{atMost(t[0], 0.25, min(t[1], t[2]), "the faster")}})
	w.table.add(row{what: "  requests to the API server", values: again.requests()})
	return nil
}
