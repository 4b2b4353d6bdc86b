package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/org/promote/pkg/change"
	"github.com/org/promote/pkg/gha"
	"github.com/org/promote/pkg/github"
	"github.com/org/promote/pkg/job"
	"github.com/org/promote/pkg/release"
	"github.com/org/promote/pkg/report"
	"github.com/org/promote/pkg/secrets"
)

// makeSafe finishes or undoes what a run left that works on the service no longer, and tells. To abort, it has a run that is at work
// undo it too.
func makeSafe(ctx context.Context, a *gha.Action, in inputs) error {
	cl, err := job.Connect(ctx, a, in.Inputs)
	if err != nil {
		return err
	}
	if err := cl.Preflight(ctx, in.Environment, nil); err != nil {
		return err
	}
	resolver, err := secrets.NewAWS(ctx, in.AWSRegion)
	if err != nil {
		return fmt.Errorf("reading the AWS configuration (input `aws-region`): %w", err)
	}
	deps := release.Deps{Cluster: cl, Secrets: resolver, Log: a, Mask: a.Mask, Entrance: reopen(a, in, cl)}
	req := release.Request{
		Service: in.Service, Environment: in.Environment, Namespace: in.Namespace, Run: a.Env().Run(), RunURL: a.Env().RunURL,
		Timeout: in.Timeout, Settle: in.Drain,
	}
	var found release.Rescued
	if in.mode == modeAbort {
		found, err = release.Abort(ctx, deps, req, abortWhy(a.Env(), in.reason))
	} else {
		found, err = release.Rescue(ctx, deps, req, nil)
	}
	if err != nil {
		return err
	}
	result := unchanged
	switch {
	case found.Holder != "":
		result = busy
		a.Infof("run %s works on %s in %s; nothing was done", found.Holder, in.Service, in.Environment)
	case found.Held:
		result = held
		a.Infof("run %s holds release %s of %s in %s on purpose; nothing was done: `mode: resume` goes on with it, `mode: abort` undoes it, and so does the next run", found.Run, found.Release, in.Service, in.Environment)
	case found.Did == "":
		a.Infof("no run has left anything of %s in %s; %s", in.Service, in.Environment, serves(found.Serving))
	default:
		result = recovered
		if in.mode == modeAbort {
			result = aborted
		}
		a.Warningf("Run %s had brought out release %s of %s in %s and %s: %s.", found.Run, found.Release, in.Service, in.Environment, fate(in), found.Did)
	}
	told, cancel := context.WithTimeout(context.WithoutCancel(ctx), tellTime)
	defer cancel()
	return errors.Join(
		a.SetOutput("result", result), a.SetOutput("release", found.Serving), a.SetOutput("previous", found.Release),
		a.Summary(safePage(in, found, result)), tellRecovered(told, a, in, found),
	)
}

// abortWhy is what the run that is asked to abort says of it.
func abortWhy(env gha.Env, reason string) string {
	if reason == "" {
		return fmt.Sprintf("%s says so (%s)", env.Actor, env.RunURL)
	}
	return fmt.Sprintf("%s says so: %s (%s)", env.Actor, reason, env.RunURL)
}

func serves(release string) string {
	if release == "" {
		return "nothing serves"
	}
	return release + " serves"
}

// fate is what became of the run whose work was undone.
func fate(in inputs) string {
	if in.mode == modeAbort {
		return "was aborted"
	}
	return "had died"
}

// safePage is the page of the run.
func safePage(in inputs, found release.Rescued, result string) string {
	at := report.Escape(in.Service) + " in " + report.Escape(in.Environment)
	switch result {
	case busy:
		return fmt.Sprintf("### ⏳ %s: run %s is at work, nothing was done\n", at, report.Escape(found.Holder))
	case held:
		return fmt.Sprintf("### ⏸ %s: run %s holds release %s on purpose, nothing was done\n", at, report.Escape(found.Run), report.Escape(found.Release))
	case unchanged:
		return fmt.Sprintf("### ✅ %s: no run has left anything, %s\n", at, report.Escape(serves(found.Serving)))
	}
	return fmt.Sprintf("### 🛟 %s: run %s %s, %s\n\n", at, report.Escape(found.Run), fate(in), report.Escape(serves(found.Serving))) +
		report.Table([]string{"", at}, [][]string{
			{"Release of that run", report.Escape(found.Release)},
			{"Its commit", report.Escape(change.Short(found.Commit))},
			{"What became of it", report.Escape(found.Did)},
		})
}

// tellRecovered says it on the commit too, whose status has been pending since its run died.
func tellRecovered(ctx context.Context, a *gha.Action, in inputs, found release.Rescued) error {
	if found.Did == "" || in.Token == "" || found.Commit == "" {
		return nil
	}
	gh, err := github.New(github.Config{APIURL: a.Env().APIURL, Token: in.Token, Repository: a.Env().Repository, Redact: a.Redact})
	if err != nil {
		return err
	}
	state := github.Failure
	if found.Serving == found.Release {
		state = github.Success
	}
	text := fmt.Sprintf("run %s %s; %s", strings.SplitN(found.Run, "-", 2)[0], fate(in), found.Did)
	if err := gh.SetStatus(ctx, found.Commit, github.Status{Context: "promote/" + in.Environment, State: state, Description: text, URL: a.Env().RunURL}); err != nil {
		// The traffic is safe, whatever GitHub says.
		a.Warningf("%v", err)
	}
	return nil
}
