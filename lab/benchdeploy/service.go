package main

import (
	"context"
	"fmt"
	"time"
)

// measureService brings a service with four pods out for the first time, and then new versions of it after so many others.
func measureService(ctx context.Context, w *world) error {
	all, err := w.contenders(ctx, peerTime)
	if err != nil {
		return err
	}
	next := versions()
	objects := func(c *contender) string { return serviceObjects(c.words, next()) }
	for _, c := range all { // warm: the node has the image
		if _, err := c.must(ctx, objects(c), c.deploy, false); err != nil {
			return err
		}
	}
	first, err := w.play(ctx, all, trial{name: "service, first", before: emptied, objects: objects, do: deploying})
	if err != nil {
		return err
	}
	w.serviceRows("4 pods, the first time", first)

	for range w.history {
		for _, c := range all {
			if _, err := c.must(ctx, objects(c), c.deploy, false); err != nil {
				return err
			}
		}
	}
	upgrade, err := w.play(ctx, all, trial{name: "service, upgrade", objects: objects, do: deploying})
	if err != nil {
		return err
	}
	w.serviceRows(fmt.Sprintf("4 pods, a new version after %d", w.history), upgrade)
	same := repeated(objects)
	for _, c := range all {
		if _, err := c.must(ctx, same(c), c.deploy, false); err != nil {
			return err
		}
	}
	again, err := w.play(ctx, all, trial{name: "service, again", objects: same, do: deploying})
	if err != nil {
		return err
	}
	w.table.add(row{what: "4 pods, nothing to do", unit: "s", values: again.times()})
	w.table.add(row{what: "  requests", values: again.requests()})
	return nil
}

// repeated gives each contender the same objects again and again, from the first that it asks for.
func repeated(objects func(*contender) string) func(*contender) string {
	has := map[string]string{}
	return func(c *contender) string {
		if has[c.name] == "" {
			has[c.name] = objects(c)
		}
		return has[c.name]
	}
}

func (w *world) serviceRows(what string, r results) {
	t := r.times()
	w.table.add(row{what: what + ": ready", unit: "s", values: t, goals: []goal{atMost(t[0], 1, t[1], "kubectl"), atMost(t[0], 0.5, t[2], "helm")}})
	w.table.add(row{what: "  of that until the candidate serves", unit: "s", values: r.aside(func(o outcome) time.Duration { return o.serves })})
	served := r.used(func(o outcome) usage { return o.served })
	w.table.add(row{what: "  requests to the API server until then", values: served.requests, goals: []goal{within(served.requests[0], 40, "requests")}})
	w.table.add(row{what: "  their bodies", unit: "bytes", values: served.bytes, goals: []goal{atMost(served.bytes[0], 0.1, min(served.bytes[1], served.bytes[2]), "the smaller")}})
	whole := r.used(func(o outcome) usage { return o.usage })
	w.table.add(row{what: "  requests of the whole run", values: whole.requests})
	w.table.add(row{what: "  their bodies", unit: "bytes", values: whole.bytes})
}
