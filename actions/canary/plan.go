package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/org/promote/pkg/gha"
	"github.com/org/promote/pkg/job"
	"github.com/org/promote/pkg/report"
	"github.com/org/promote/pkg/rollout"
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
	replicas, _, err := cl.Replicas(ctx, state.Serving.Deployments[0])
	if err != nil {
		return err
	}
	plan, err := in.plan(replicas)
	if err != nil {
		return err
	}
	for i, s := range plan.Steps {
		a.Infof("step %d: %s", i+1, s)
	}
	judge, err := newJudge(ctx, in, cl, noCandidate, state.Serving.ID)
	if err != nil {
		return err
	}
	proof := judge.Prove(ctx, time.Now())
	return errors.Join(proof, a.Summary(planSummary(in, state.Serving.ID, plan, proof)))
}

func planSummary(in inputs, baseline string, p rollout.Plan, proof error) string {
	var b strings.Builder
	fmt.Fprintf(&b, "### 📝 %s in %s: plan of a canary beside %s\n\n", report.Escape(in.Service), report.Escape(in.Environment), report.Escape(baseline))
	fmt.Fprintf(&b, "%d pods serve, %d more may run. At the shortest it takes %s and the time pods need to start.\n\n", p.Replicas, p.Surge, p.Shortest())
	b.WriteString(stepTable(p, nil))
	if proof != nil {
		b.WriteString("\n❌ The checks are not proven:\n\n" + report.Code("text", proof.Error()))
	} else {
		b.WriteString("\nEvery check answers for what serves now.\n")
	}
	return b.String()
}
