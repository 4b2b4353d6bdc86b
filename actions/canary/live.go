package main

import (
	"context"
	"fmt"
	"sync"

	"github.com/org/promote/pkg/github"
	"github.com/org/promote/pkg/rollout"
)

// rolling is the board's word while traffic moves.
const rolling = "rolling out"

// live keeps the pull request's board, the commit's status and the deployment at the step that a rollout is at. GitHub takes its time
// and a rollout does not wait for it: a step that is over before its turn comes is not told.
type live struct {
	tell *tell
	out  outcome
	stop context.CancelFunc
	next chan string
	idle sync.WaitGroup
}

// live begins to tell; what it tells ends with [live.end].
func (t *tell) live(ctx context.Context, out outcome) *live {
	ctx, stop := context.WithCancel(ctx)
	l := &live{tell: t, out: out, stop: stop, next: make(chan string, 1)}
	l.idle.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case text := <-l.next:
				l.say(ctx, text)
			}
		}
	})
	return l
}

// step says that a step has its share.
func (l *live) step(p rollout.Plan, step int) {
	text := fmt.Sprintf("step %d of %d: %s", step+1, len(p.Steps), shares(p, step, nil))
	select {
	case <-l.next: // nobody needs to hear of the step before any more
	default:
	}
	l.next <- text
}

// end waits until nothing more is told: what comes after must have the last word.
func (l *live) end() {
	l.stop()
	l.idle.Wait()
}

func (l *live) say(ctx context.Context, text string) {
	t, url := l.tell, l.tell.action.Env().RunURL
	for _, tell := range []func() error{
		func() error {
			if t.change.PullRequest == 0 {
				return nil
			}
			return t.github.UpdateBoard(ctx, t.change.PullRequest, github.BoardRow{
				Environment: t.in.Environment, Commit: t.change.Head, Digest: l.out.Digest, Result: rolling, RunURL: url, Approvers: l.out.Approvers, Share: text,
			})
		},
		func() error {
			return t.github.SetStatus(ctx, t.change.Head, github.Status{Context: t.statusContext(), State: github.Pending, Description: text, URL: url})
		},
		func() error {
			if t.deployment == 0 {
				return nil
			}
			return t.github.SetDeploymentStatus(ctx, t.deployment, github.DeploymentStatus{State: github.InProgress, Description: text, LogURL: url})
		},
	} {
		// The last word at the end says what GitHub does not take; once is enough.
		if err := tell(); err != nil && ctx.Err() == nil {
			t.action.Infof("telling GitHub of the step: %v", err)
			return
		}
	}
}

// shares are the three numbers of a step: what was asked for, what it gives, and what requests did, as far as it is known.
func shares(p rollout.Plan, step int, r *rollout.Result) string {
	s, of := p.Steps[step], "of the pods"
	if p.Weighted {
		of = "by weight"
	}
	text := fmt.Sprintf("%s %% asked, %s %% %s", percent(s.Asked), percent(round(s.Achieved)), of)
	if r == nil {
		return text
	}
	for i := len(r.Samples) - 1; i >= 0; i-- {
		if measured, ok := r.Samples[i].Measured(); ok && r.Samples[i].Step == step {
			return fmt.Sprintf("%s, %s %% of the requests", text, percent(round(measured)))
		}
	}
	return text
}

// reached is what the board says at the end of how far the candidate came.
func (o outcome) reached() string {
	if r := o.Rollout; r != nil && r.Share > 0 && r.Share < 100 {
		for i := len(r.Plan.Steps) - 1; i >= 0; i-- {
			if r.Plan.Steps[i].Achieved <= r.Share+0.05 {
				return shares(r.Plan, i, r)
			}
		}
	}
	return o.share() + " %"
}
