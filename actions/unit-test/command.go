package main

import "github.com/org/promote/pkg/command"

// childEnviron is the runner's environment as tests may have it, who are code of a pull request: what the workflow's author gave the
// job, and neither what is the action's own nor the runner's credentials, unless they are named. withheld has the names of those.
func childEnviron(environ []string, in inputs, reports string) (child, withheld []string) {
	child, withheld = command.Inherit(environ, in.env, in.token)
	return append(child, reportsVariable+"="+reports), withheld
}

// reportsVariable names the folder for reports, which each run has its own of.
const reportsVariable = "PROMOTE_REPORTS"

// reportsEntry is that variable as it stands in the command's environment.
func reportsEntry(environ []string) string { return environ[len(environ)-1] }
