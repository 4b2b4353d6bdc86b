package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/org/promote/pkg/cluster"
	"github.com/org/promote/pkg/gha"
	"github.com/org/promote/pkg/job"
	"github.com/org/promote/pkg/metrics"
	"github.com/org/promote/pkg/report"
	"github.com/org/promote/pkg/rollout"
	"github.com/org/promote/pkg/verdict"
)

// noCandidate stands for the release that does not exist yet when a plan's queries are proven.
const noCandidate = "none-yet"

// showPlan says what a canary would do with what runs now, proves the checks, and changes nothing.
func showPlan(ctx context.Context, a *gha.Action, in inputs) error {
	cl, err := job.Connect(ctx, a, in.Inputs)
	if err != nil {
		return err
	}
	state, err := cl.LoadState(ctx, in.Service)
	if err != nil {
		return better(err, cl.Preflight(ctx, in.Environment, nil))
	}
	if err := a.SetOutput("result", planned); err != nil {
		return err
	}
	if state.Serving == nil || len(state.Serving.Deployments) == 0 {
		a.Noticef("Nothing serves %s in %s yet: the first release takes all traffic at once.", in.Service, in.Environment)
		return nil
	}
	plan, err := layOut(ctx, a, in, cl, state)
	if err != nil {
		return err
	}
	judge, err := newJudge(ctx, in, cl, noCandidate, state.Serving.ID, false)
	if err != nil {
		return err
	}
	proof := judge.Prove(ctx, time.Now())
	advice, lintErr := lint(a, in)
	for _, x := range advice {
		a.Warningf("%s", x)
	}
	page := planSummary(in, state.Serving.ID, plan, judge.Known(), proof)
	if lintErr == nil {
		page += adviceList(advice)
	}
	return errors.Join(proof, lintErr, a.Summary(page))
}

// layOut lays the steps out for the pods that serve now.
func layOut(ctx context.Context, a *gha.Action, in inputs, cl *cluster.Cluster, state *cluster.State) (rollout.Plan, error) {
	replicas, _, err := cl.Replicas(ctx, state.Serving.Deployments[0])
	if err != nil {
		return rollout.Plan{}, err
	}
	plan, err := in.plan(replicas)
	if err != nil {
		return plan, err
	}
	for i, s := range plan.Steps {
		a.Infof("step %d: %s", i+1, s)
	}
	return plan, nil
}

func planSummary(in inputs, baseline string, p rollout.Plan, known []metrics.Known, proof error) string {
	var b strings.Builder
	fmt.Fprintf(&b, "### 📝 %s in %s: plan of a canary beside %s\n\n", report.Escape(in.Service), report.Escape(in.Environment), report.Escape(baseline))
	fmt.Fprintf(&b, "%d pods serve, %d more may run. At the shortest it takes %s and the time pods need to start.\n\n", p.Replicas, p.Surge, p.Shortest())
	b.WriteString(stepTable(p, nil))
	if proof != nil {
		b.WriteString("\n❌ The checks are not proven:\n\n" + report.Code("text", proof.Error()))
	} else {
		b.WriteString("\nEvery check answers for what serves now.\n")
		for _, k := range known {
			b.WriteString("\n" + foundTable(p, k))
		}
	}
	b.WriteString("\n" + safety(in))
	return b.String()
}

// foundTable says what a check can find in each step at the rate of requests that the baseline has now.
func foundTable(p rollout.Plan, k metrics.Known) string {
	name, perSecond := report.Escape(k.Check), k.Counts.Total/k.Over.Seconds()
	if perSecond <= 0 {
		return fmt.Sprintf("Check %s: the baseline has had no request within %s that the monitor knows of, so nothing can be said of what a step finds.\n", name, k.Over)
	}
	var rows [][]string
	for i, s := range p.Steps {
		share := perSecond * s.Achieved / 100
		requests := share * p.Lasts(i).Seconds()
		finds := "nothing: there are too few requests"
		if bad := verdict.Smallest(k.Healthy, requests, k.Alpha); bad < 1 {
			finds = fmt.Sprintf("%.2g %% bad", 100*bad)
		}
		rows = append(rows, []string{fmt.Sprint(i + 1), fmt.Sprintf("%.1f/s", share), fmt.Sprintf("%.0f", requests), finds})
	}
	worse := min(0.9, max(10*k.Healthy, 0.01))
	return fmt.Sprintf("Check %s: the baseline answers %.1f requests/s, %.2g %% of them bad; %.2g %% are healthy. %.2g %% are found with about %.0f requests of the candidate's, at the least.\n\n",
		name, perSecond, 100*k.Counts.Rate(), 100*k.Healthy, 100*worse, verdict.Least(k.Healthy, worse, k.Alpha)) +
		report.Table([]string{"Step", "Requests of the candidate", "Within the step", "The smallest that it can find"}, rows)
}

// safety says how long clients may go on reaching a bad candidate.
func safety(in inputs) string {
	const look, move = metrics.QueryTime, 3 * time.Second
	text := fmt.Sprintf("From the moment at which a check could see it, traffic is safe within %s while the run lives: a look every %s, which may take %s, and one patch.",
		in.rules.Interval+look+move, in.rules.Interval, look)
	if in.watchdog == watchdogOff {
		return text + " If the run dies, traffic stays as it is until the next run.\n"
	}
	return text + fmt.Sprintf(" If the run dies, its watchdog takes %s.\n", cluster.LockTime+watchdogReaction)
}
