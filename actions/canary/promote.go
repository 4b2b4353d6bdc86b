package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/org/promote/pkg/cluster"
	"github.com/org/promote/pkg/gha"
	"github.com/org/promote/pkg/job"
	"github.com/org/promote/pkg/release"
	"github.com/org/promote/pkg/report"
	"github.com/org/promote/pkg/rollout"
)

// promoteNow has the rollout that is at work promoted, or takes up the one that is held for that.
func promoteNow(ctx context.Context, a *gha.Action, in inputs) error {
	cl, err := job.Connect(ctx, a, in.Inputs)
	if err != nil {
		return err
	}
	if err := cl.Preflight(ctx, in.Environment, nil); err != nil {
		return err
	}
	ask := rollout.Ask{Who: a.Env().Starter, Why: in.reason, URL: a.Env().RunURL, At: time.Now()}
	wish := cluster.Wish{Who: ask.Who, Why: a.Redact(ask.Why), URL: ask.URL}
	found, isHeld, err := release.Promote(ctx, release.Deps{Cluster: cl, Log: a}, in.Service, wish, in.promotionTime())
	if isHeld {
		return resume(ctx, a, in, &ask)
	}
	result := promoted
	var not *release.NotPromotedError
	switch {
	case errors.As(err, &not) && not.Held:
		result = held
	case errors.As(err, &not) && !not.Died:
		result = rolledBack
	case err != nil:
		result = refused
	}
	if err == nil {
		a.Noticef("Run %s has promoted release %s of %s in %s.", found.Run, found.Release, in.Service, in.Environment)
	}
	return errors.Join(advised(err),
		a.SetOutput("result", result), a.SetOutput("release", found.Release), a.Summary(promotePage(in, ask, found, result, advised(err))))
}

// promotionTime is how long a run that is asked may take: its pods start, its last step is watched and may lack numbers, and its old
// release leaves.
func (v inputs) promotionTime() time.Duration {
	return 2*v.Timeout + 2*v.rules.StepLimit + v.Drain + entranceTime
}

// promotePage is the page of a run that has asked another.
func promotePage(in inputs, ask rollout.Ask, found release.Rescued, result string, failure error) string {
	at := report.Escape(in.Service) + " in " + report.Escape(in.Environment)
	icon, said := "✅", fmt.Sprintf("run %s has promoted %s", report.Escape(found.Run), report.Escape(found.Release))
	text := ""
	if failure != nil {
		icon, said = "❌", "not promoted ("+result+")"
		text = report.Code("text", failure.Error()) + "\n"
	}
	return fmt.Sprintf("### %s %s: %s\n\n", icon, at, said) + text + report.Table([]string{"", at}, [][]string{
		{"Asked by", report.Escape(ask.Who)}, {"Because", report.Escape(ask.Why)}, {"Release", report.Escape(found.Release)}, {"Run", report.Escape(found.Run)},
	})
}

// wishes gives who asks for the promotion of the candidate: first is who did before the run began, nil for nobody.
func wishes(ctx context.Context, log rollout.Log, heard <-chan cluster.Wish, candidate string, first *rollout.Ask) <-chan rollout.Ask {
	asks := make(chan rollout.Ask, 1)
	if first != nil {
		asks <- *first
	}
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case w := <-heard:
				if w.Release != candidate {
					log.Infof("%s asks for the promotion of release %s, which this run does not roll out", w.Who, w.Release)
					continue
				}
				select {
				case asks <- rollout.Ask{Who: w.Who, Why: w.Why, URL: w.URL}:
				default: // somebody was quicker
				}
			}
		}
	}()
	return asks
}

// asked is who wanted the promotion, in words; "" when nobody did.
func (o outcome) asked() string {
	if o.Rollout == nil || o.Rollout.State.Asked == nil {
		return ""
	}
	text := o.Rollout.State.Asked.String()
	if ask := o.Rollout.State.Asked; ask.Skipped {
		text += fmt.Sprintf(" (steps skipped after step %d)", ask.From+1)
	}
	return text
}
