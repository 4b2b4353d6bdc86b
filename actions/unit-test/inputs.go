package main

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/org/promote/pkg/command"
	"github.com/org/promote/pkg/gha"
	"github.com/org/promote/pkg/tests"
)

// inputs are what action.yml declares, read and validated before anything is started.
type inputs struct {
	// command is what bash runs; detected, with the kind of project, when the input is empty.
	command, kind string
	// dir is the absolute working directory, workspace the repository's root.
	dir, workspace  string
	junit, coverage []string
	// env is what the command gets besides, each as NAME or NAME=value.
	env     []string
	reuse   bool
	timeout time.Duration
	token   string
	// dryRun looks at what a run needs, and tests nothing.
	dryRun bool
}

// readInputs reports every problem at once.
func readInputs(a *gha.Action) (inputs, error) {
	in := a.Inputs()
	v := inputs{
		command:   in.String("command", ""),
		workspace: a.Env().Workspace,
		dir:       in.String("working-directory", "."),
		junit:     in.List("junit"),
		coverage:  in.List("coverage"),
		env:       command.ParseNamed(in.String("test-env", "")),
		reuse:     in.Bool("reuse", true),
		timeout:   in.Duration("timeout", 30*time.Minute),
		dryRun:    in.Bool("dry-run", false),
		token:     in.Required("github-token", "pass `github-token: ${{ github.token }}`"),
	}
	if v.workspace == "" {
		v.workspace, _ = os.Getwd()
	}
	if !filepath.IsAbs(v.dir) {
		v.dir = filepath.Join(v.workspace, v.dir)
	}
	if v.timeout <= 0 {
		in.Problem("timeout", "must be more than 0, for instance 30m")
	}
	if err := command.CheckNamed(v.env); err != nil {
		in.Problem("test-env", "%v", err)
	}
	for input, patterns := range map[string][]string{"junit": v.junit, "coverage": v.coverage} {
		if err := tests.CheckPatterns(patterns); err != nil {
			in.Problem(input, "%v", err)
		}
	}
	if info, err := os.Stat(v.dir); err != nil || !info.IsDir() {
		in.Problem("working-directory", "is %q, which is no folder of the checkout; put actions/checkout before this step, or name another folder", v.dir)
	} else if v.command == "" {
		found, err := detect(v.dir)
		if err != nil {
			in.Problem("command", "is not set, and %v; set it to the command that runs the unit tests", err)
		}
		v.command, v.kind = found.command, found.kind
		v.junit = append(v.junit, found.junit...)
	}
	return v, in.Err()
}

// suite is what these inputs run.
func (in inputs) suite() suite {
	directory, err := filepath.Rel(in.workspace, in.dir)
	if err != nil {
		directory = in.dir
	}
	var names []string
	for _, each := range in.env {
		name, _, _ := strings.Cut(each, "=")
		names = append(names, name)
	}
	slices.Sort(names)
	return suite{
		Command: in.command, WorkingDirectory: filepath.ToSlash(directory), JUnit: in.junit, Coverage: in.coverage, Env: names,
		Platform: runtime.GOOS + "/" + runtime.GOARCH,
	}
}
