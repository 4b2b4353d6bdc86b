package main

import (
	"context"
	"fmt"
	"os"
	"time"
)

// countedRounds is how often requests are counted; they hardly vary.
const countedRounds = 3

// trial is something that all contenders do in turn.
type trial struct {
	name string
	// before comes before each run, off the clock; nil is nothing.
	before func(context.Context, *contender) error
	// objects are what is brought out, new ones each time or the same.
	objects func(c *contender) string
	do      func(*contender) func(context.Context, string) (outcome, error)
}

// results are the outcomes of a trial by contender, in time and in requests.
type results struct{ timed, counted map[string][]outcome }

// play lets the contenders take turns, the timed rounds first.
func (w *world) play(ctx context.Context, all []*contender, t trial) (results, error) {
	r := results{map[string][]outcome{}, map[string][]outcome{}}
	for round := range w.rounds + countedRounds {
		counted := round >= w.rounds
		for _, c := range all {
			if t.before != nil {
				if err := t.before(ctx, c); err != nil {
					return r, err
				}
			}
			out, err := c.must(ctx, t.objects(c), t.do(c), counted)
			if err != nil {
				return r, err
			}
			if w.trace && c.name == "promote" {
				fmt.Fprint(os.Stderr, out.trace)
			}
			into := r.timed
			if counted {
				into = r.counted
			}
			into[c.name] = append(into[c.name], out)
			fmt.Fprintf(os.Stderr, "%s, round %d, %s: %.3f s, %d requests, %d bytes\n", t.name, round+1, c.name, out.took.Seconds(), out.requests, out.bytes)
		}
	}
	return r, nil
}

// all gives a value of promote, kubectl and helm.
func (r results) all(of func([]outcome) float64, from map[string][]outcome) (values [3]float64) {
	for i, name := range []string{"promote", "kubectl", "helm"} {
		values[i] = of(from[name])
	}
	return values
}

func (r results) times() [3]float64 {
	return r.all(func(o []outcome) float64 { return seconds(o, took) }, r.timed)
}

func (r results) requests() [3]float64 {
	return r.used(func(o outcome) usage { return o.usage }).requests
}

// used are medians of requests and bytes.
func (r results) used(of func(outcome) usage) (u struct{ requests, bytes [3]float64 }) {
	u.requests = r.all(func(all []outcome) float64 {
		return number(all, func(o outcome) int64 { return int64(of(o).requests) })
	}, r.counted)
	u.bytes = r.all(func(all []outcome) float64 { return number(all, func(o outcome) int64 { return of(o).bytes }) }, r.counted)
	return u
}

// aside are times of promote alone, within its run.
func (r results) aside(of func(outcome) time.Duration) [3]float64 {
	return [3]float64{seconds(r.timed["promote"], of), missing, missing}
}

// contenders are all three, each with a namespace of its own.
func (w *world) contenders(ctx context.Context, patience time.Duration) ([]*contender, error) {
	promote, err := w.newPromote(ctx)
	if err != nil {
		return nil, err
	}
	kubectl, err := w.newKubectl(ctx, patience)
	if err != nil {
		return nil, err
	}
	helm, err := w.newHelm(ctx, patience)
	return []*contender{promote, kubectl, helm}, err
}

// deploying is a run that waits for what it brought out, applying one that does not.
func deploying(c *contender) func(context.Context, string) (outcome, error) { return c.deploy }
func applying(c *contender) func(context.Context, string) (outcome, error)  { return c.apply }

// versions numbers what is brought out, so that nothing is brought out twice by chance.
func versions() func() string {
	n := 0
	return func() string {
		n++
		return fmt.Sprintf("v%d", n)
	}
}

func emptied(ctx context.Context, c *contender) error { return c.at.empty(ctx) }
