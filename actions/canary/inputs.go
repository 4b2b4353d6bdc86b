package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/org/promote/pkg/gate"
	"github.com/org/promote/pkg/gha"
	"github.com/org/promote/pkg/job"
	"github.com/org/promote/pkg/metrics"
	"github.com/org/promote/pkg/regular"
	"github.com/org/promote/pkg/release"
	"github.com/org/promote/pkg/rollout"
)

// The modes.
const (
	modeRun  = "run"
	modePlan = "plan"
	// modeRecover makes safe what a run left that has died.
	modeRecover = "recover"
	// modeAbort undoes a rollout, whoever is at it.
	modeAbort = "abort"
	// modeResume goes on with a rollout that is held.
	modeResume = "resume"
	// modePromote has a rollout promoted at a person's word.
	modePromote = "promote"
)

// falseAlarms is the chance that a candidate no worse than allowed is rolled back by its ratio checks, over the whole run.
const falseAlarms = 0.01

// blindLooks in a row are borne: a monitor that restarts is back by then, and at the default interval a bad version that
// hides behind one has had a few seconds.
const blindLooks = 4

// inputs are what action.yml declares, read and validated before anything is touched.
type inputs struct {
	job.Inputs
	mode string
	// dryRun looks at all that a run needs and changes nothing.
	dryRun      bool
	traffic     string
	hostedZone  string
	dnsName     string
	dnsTTL      time.Duration
	steps       []float64
	surge       int
	rules       rollout.Rules
	checks      []metrics.Check
	monitor     monitor
	minRequests int
	watchdog    string
	freeze      gate.Freeze
	// reason is why a person wants what the mode does.
	reason string
}

// readInputs reports every problem at once.
func readInputs(a *gha.Action, from surroundings) (inputs, error) {
	in, env := a.Inputs(), a.Env()
	mode := in.OneOf("mode", modeRun, modeRun, modePlan, modeResume, modePromote, modeAbort, modeRecover)
	dryRun := in.Bool("dry-run", false)
	if dryRun && mode != modeRun && mode != modePlan {
		in.Problem("dry-run", "is for `mode: run` and `mode: plan`: it looks at what a rollout needs, and `mode: %s` begins none; leave it out", mode)
	}
	if mode == modeRecover || mode == modeAbort {
		v := inputs{mode: mode, reason: readReason(in, env, mode), dnsTTL: in.Duration("dns-ttl", time.Minute), Inputs: job.Read(in, env, job.Ways{Example: "prod", Concurrency: []string{release.Queue}, Named: true, Kubeconfig: from.Kubeconfig})}
		return v, in.Err()
	}
	v := inputs{
		mode: mode, reason: readReason(in, env, mode), dryRun: dryRun,
		Inputs: job.Read(in, env, job.Ways{
			Example: "prod", Concurrency: []string{release.Queue, release.Supersede, release.Reject}, Kubeconfig: from.Kubeconfig,
		}),
		traffic:     in.OneOf("traffic", trafficPods, trafficPods, trafficGateway, trafficRoute53),
		hostedZone:  in.String("hosted-zone-id", ""),
		dnsName:     in.String("dns-name", ""),
		dnsTTL:      in.Duration("dns-ttl", time.Minute),
		steps:       readSteps(in),
		surge:       in.Int("surge", -1, 0, 10000),
		monitor:     readMonitor(a, in, env.Workspace, from.MonitorURL),
		minRequests: in.Int("min-requests", 50, 1, 1_000_000_000),
		watchdog:    in.OneOf("watchdog", watchdogAuto, watchdogAuto, watchdogOn, watchdogOff),
	}
	v.rules = readRules(in, intervals[v.monitor.kind])
	var err error
	if v.freeze, err = gate.ParseFreeze(in.String("freeze", "")); err != nil {
		for _, problem := range each(err) {
			in.Problem("freeze", "%v", problem)
		}
	}
	v.checks = readChecks(in, env.Workspace)
	v.checkTraffic(in)
	return v, in.Err()
}

// readReason reads why a person wants what the mode does. Without an answer, and without a person, nothing is promoted by hand.
func readReason(in *gha.Inputs, env gha.Env, mode string) string {
	reason := strings.TrimSpace(in.String("reason", ""))
	switch mode {
	case modeAbort:
	case modePromote:
		if reason == "" {
			in.Problem("reason", "is required with `mode: promote`: say why the steps that are left can be skipped; it is recorded with your name")
		}
		if env.EventName != "workflow_dispatch" || env.Starter == "" {
			in.Problem("mode", "is promote, which is a person's decision: start the workflow by hand (`on: workflow_dispatch`), not by the event %q", env.EventName)
		}
	default:
		if reason != "" {
			in.Problem("reason", "is for `mode: promote` and `mode: abort`; leave it out with `mode: %s`", mode)
		}
	}
	return reason
}

// checkTraffic refuses what does not go with what shares the traffic.
func (v inputs) checkTraffic(in *gha.Inputs) {
	for _, name := range [][2]string{{"hosted-zone-id", v.hostedZone}, {"dns-name", v.dnsName}} {
		switch {
		case v.traffic == trafficRoute53 && name[1] == "":
			in.Problem(name[0], "is required with `traffic: route53`")
		case v.traffic != trafficRoute53 && name[1] != "":
			in.Problem(name[0], "is for `traffic: route53`, and the traffic is shared by %s", v.traffic)
		}
	}
}

// readSteps reads rising percentages. The last step is always 100: only there the whole load is seen while the old release
// can still take it back.
func readSteps(in *gha.Inputs) []float64 {
	var steps []float64
	for _, text := range in.List("steps", "5", "25", "50", "100") {
		p, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(text, "%")), 64)
		if err != nil || !(p > 0 && p <= 100) {
			in.Problem("steps", "has %q; give rising percentages above 0 up to 100, for instance 5,25,50,100", text)
			continue
		}
		if len(steps) > 0 && p <= steps[len(steps)-1] {
			in.Problem("steps", "has %s after %v; a candidate's share only rises", text, steps[len(steps)-1])
		}
		steps = append(steps, p)
	}
	if !slices.Contains(steps, 100) {
		steps = append(steps, 100)
	}
	return steps
}

// readRules reads the times and limits; interval is the monitor's own.
func readRules(in *gha.Inputs, interval time.Duration) rollout.Rules {
	r := rollout.Rules{
		StepDuration: in.Duration("step-duration", 5*time.Minute),
		StepLimit:    in.Duration("step-limit", 0),
		Bake:         in.Duration("bake", 0),
		Interval:     in.Duration("interval", interval),
		Blind:        blindLooks,
		OnNoData:     rollout.Policy(in.OneOf("on-no-data", string(rollout.Rollback), string(rollout.Rollback), string(rollout.Hold))),
		OnCancel:     rollout.Policy(in.OneOf("on-cancel", string(rollout.Rollback), string(rollout.Rollback), string(rollout.Hold))),
	}
	if r.StepLimit == 0 {
		r.StepLimit = max(3*r.StepDuration, 2*time.Minute)
	}
	r.HoldLimit = r.StepLimit
	if r.StepDuration <= 0 {
		in.Problem("step-duration", "must be more than 0, for instance 5m")
	}
	if r.Interval <= 0 || r.Interval > r.StepDuration {
		in.Problem("interval", "is %s; give one above 0 and up to the input `step-duration`, %s", r.Interval, r.StepDuration)
	}
	if r.StepLimit < r.StepDuration {
		in.Problem("step-limit", "is %s; give at least the input `step-duration`, %s", r.StepLimit, r.StepDuration)
	}
	return r
}

// readChecks reads the checks from one of their two inputs.
func readChecks(in *gha.Inputs, workspace string) []metrics.Check {
	text, file := in.String("checks", ""), in.String("checks-file", "")
	name := "checks"
	switch {
	case text == "" && file == "":
		in.Problem("checks", "is required, or `checks-file`: without a check nothing could stop a bad version")
		return nil
	case text != "" && file != "":
		in.Problem("checks", "and `checks-file` are both set; give one of them")
		return nil
	case file != "":
		name = "checks-file"
		path := job.Below(workspace, file)
		// What does not read as a check is shown. Through a link in the commit that would be the runner's own files.
		if path != file && workspace != "" && regular.LeadsOut(workspace, path) {
			in.Problem(name, "is %q, which leads out of the checkout; name a file in it", file)
			return nil
		}
		data, err := regular.Read(path, 1<<20)
		if err != nil {
			in.Problem(name, "is %q, which can't be read: %v", file, err)
			return nil
		}
		text = string(data)
	}
	checks, err := metrics.ParseChecks([]byte(text))
	for _, problem := range each(err) {
		in.Problem(name, "%v", problem)
	}
	return checks
}

// each gives the parts of a joined error.
func each(err error) []error {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	return []error{err}
}

// plan lays the steps out for a number of pods.
func (v inputs) plan(replicas int) (rollout.Plan, error) {
	lay := rollout.NewPlan
	if v.traffic != trafficPods {
		lay = rollout.NewWeightedPlan
	}
	p, err := lay(replicas, v.steps, v.surge, v.rules)
	if err != nil {
		return p, err
	}
	if p.Steps[0].Full() && len(v.steps) > 1 {
		return p, fmt.Errorf("planning the rollout: %d pods and a surge of %d can't be shared, the first step of %v %% would already be all of the traffic; raise the input `surge`, or the replicas",
			replicas, p.Surge, v.steps[0])
	}
	return p, nil
}
