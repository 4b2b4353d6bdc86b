package main

import "strings"

// childEnviron is the runner's environment without what is the action's own: its inputs, the token among them, and the files
// through which a step sets outputs and variables. Tests are code from pull requests and must not reach these.
func childEnviron(environ []string, reports string) []string {
	own := map[string]bool{
		"GITHUB_OUTPUT": true, "GITHUB_ENV": true, "GITHUB_PATH": true, "GITHUB_STATE": true, "GITHUB_STEP_SUMMARY": true,
		reportsVariable: true,
	}
	var kept []string
	for _, entry := range environ {
		name, _, _ := strings.Cut(entry, "=")
		if !own[name] && !strings.HasPrefix(name, "INPUT_") {
			kept = append(kept, entry)
		}
	}
	return append(kept, reportsVariable+"="+reports)
}

// reportsVariable names the folder for reports, which each run has its own of.
const reportsVariable = "PROMOTE_REPORTS"

// reportsEntry is that variable as it stands in the command's environment.
func reportsEntry(environ []string) string { return environ[len(environ)-1] }
