package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/org/promote/pkg/command"
	"github.com/org/promote/pkg/gha"
	"github.com/org/promote/pkg/github"
	"github.com/org/promote/pkg/tests"
)

// tellTime bounds what is told to GitHub after the tests. It must fit in the 10 s between a cancel and the kill, after the
// grace for the command.
const tellTime = 5 * time.Second

// run is the action: which commit, has its tree passed already, run the command, read what it reports, judge, tell.
func run(ctx context.Context, a *gha.Action, environ []string) error {
	in, err := readInputs(a)
	if in.dryRun {
		return dryRun(ctx, a, in, err)
	}
	if err != nil {
		return err
	}
	a.Mask(in.token)
	gh, err := github.New(github.Config{APIURL: a.Env().APIURL, Token: in.token, Repository: a.Env().Repository, Redact: a.Redact})
	if err != nil {
		return err
	}
	src, err := theSource(ctx, a, gh, in)
	if err != nil {
		return err
	}
	t := tell{action: a, github: gh, in: in, source: src}
	if found, ok := earlier(ctx, a, gh, in, src); ok {
		return t.reused(ctx, found)
	}
	t.start(ctx)
	v, err := runTests(ctx, a, in, environ)
	if err != nil {
		v.problems = append(v.problems, err.Error())
	}
	// What happened must be told even when the run was cancelled.
	told, cancel := context.WithTimeout(context.WithoutCancel(ctx), tellTime)
	defer cancel()
	return errors.Join(v.err(), t.end(told, v))
}

// earlier looks for the proof that the same tree passed the same suite.
func earlier(ctx context.Context, a *gha.Action, gh asks, in inputs, src source) (proof, bool) {
	if !in.reuse || !src.exact {
		return proof{}, false
	}
	env := a.Env()
	s := search{github: gh, action: a, head: src.Head, trust: trust{
		tree: src.Tree, suite: in.suite().fingerprint(),
		runs: env.ServerURL + "/" + env.Repository + "/actions/runs/", self: env.RunURL,
	}}
	return s.find(ctx, src.hints, src.parents)
}

// runTests runs the command and reads everything it reports. What it gives is as complete as can be even with an error.
func runTests(ctx context.Context, a *gha.Action, in inputs, environ []string) (verdict, error) {
	reports, err := os.MkdirTemp("", "promote-reports-")
	if err != nil {
		return verdict{}, fmt.Errorf("making a folder for test reports: %w", err)
	}
	defer func() { _ = os.RemoveAll(reports) }()
	if in.kind != "" {
		a.Infof("The folder holds a %s project; `command` is not set and so is: %s", in.kind, in.command)
	}
	end := a.Group(firstLine(in.command))
	log := a.Child()
	out := tests.NewOutput(log)
	began := time.Now()
	environ, withheld := childEnviron(environ, in, reports)
	ended, err := command.Run(ctx, command.Command{
		Line: in.command, Dir: in.dir, Environ: environ, Timeout: in.timeout, Mark: reportsEntry(environ),
	}, out.Stdout(), out.Stderr())
	out.End()
	_ = log.Close()
	end()
	if ended.Code != 0 && len(withheld) > 0 {
		a.Infof("Of the runner's environment the command did not get %s; what it needs can be named in the input `test-env`", strings.Join(withheld, ", "))
	}
	if len(ended.Left) > 0 {
		a.Infof("Ended what the command had left running: %s", strings.Join(ended.Left, ", "))
	}
	at := tests.NewPlaces(in.workspace, in.dir)
	v := verdict{ended: ended, lastLine: out.Last(), coverage: -1}
	files, covers, fileErr := reportFilesOf(a, in, reports, began)
	var readErr error
	v.results, readErr = out.Results(at, files, ended.Code)
	fileErr = errors.Join(fileErr, readErr)
	if err != nil {
		return v, errors.Join(err, fileErr)
	}
	v.coverage = readCoverage(a, in, covers, began)
	// A report that does not read says nothing about the tests, so only the command's own word is judged then. It may well
	// be the cause: what was killed leaves half a report.
	if fileErr == nil || ended.Code != 0 {
		v.judge(in)
	}
	return v, fileErr
}

// reportFilesOf gives the JUnit files that match the patterns, and those that the command left in the folder reports. What lies
// there for coverage is named.
func reportFilesOf(a *gha.Action, in inputs, reports string, began time.Time) (junit, covers []string, err error) {
	files, err := tests.FindReports("JUnit", in.dir, in.junit, began)
	if err != nil {
		return nil, nil, err
	}
	if files.Stale > 0 {
		a.Warningf("left out %d JUnit files that are older than this run", files.Stale)
	}
	var own []string
	for _, pattern := range []string{"**/*.xml", "**/*.info", "**/*.lcov", "**/*.out"} {
		matching, err := tests.FindReports("report", reports, []string{pattern}, began)
		if err != nil {
			return nil, nil, err
		}
		own = append(own, matching.Found...)
	}
	for _, file := range own {
		if filepath.Ext(file) == ".xml" && !isCobertura(file) {
			files.Found = append(files.Found, file)
		} else {
			covers = append(covers, file)
		}
	}
	return files.Found, covers, nil
}

func firstLine(s string) string {
	line, rest, more := strings.Cut(strings.TrimSpace(s), "\n")
	if more && strings.TrimSpace(rest) != "" {
		line += " …"
	}
	return line
}
