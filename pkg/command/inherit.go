package command

import (
	"slices"
	"strings"
)

// steering are the files through which a step steers those after it, and what an action was called with.
var steering = []string{"GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH", "GITHUB_STATE", "GITHUB_STEP_SUMMARY", "INPUT_*"}

// runners are what GitHub's runner gives to a job by itself, and nobody gave to a command on purpose: with them, whoever holds them
// is the job to the cloud (a token for OIDC), to GitHub's cache and to its artifacts.
// https://docs.github.com/actions/reference/security/oidc
var runners = []string{
	"ACTIONS_ID_TOKEN_*", "ACTIONS_RUNTIME_*", "ACTIONS_CACHE_*", "ACTIONS_RESULTS_*", "ACTIONS_ARTIFACT_*",
}

// Inherit gives the environment for a command that may have what the workflow's author gave the job, as a step of its own would:
// all but the files that steer other steps, the action's inputs, the runner's own credentials, and every variable that holds the
// action's token; "" is no token. Credentials that named names, as in [Environ], are passed on. withheld has the names of what
// could be named and was not, sorted.
func Inherit(runner, named []string, token string) (environ, withheld []string) {
	given, asked := map[string]bool{}, map[string]bool{}
	for _, each := range named {
		name, _, set := strings.Cut(each, "=")
		asked[name] = true
		given[name] = set
	}
	for _, entry := range runner {
		name, value, _ := strings.Cut(entry, "=")
		switch {
		case matchesAny(steering, name) || given[name]:
		case !asked[name] && (matchesAny(runners, name) || token != "" && strings.Contains(value, token)):
			withheld = append(withheld, name)
		default:
			environ = append(environ, entry)
		}
	}
	for _, each := range named {
		if strings.Contains(each, "=") {
			environ = append(environ, each)
		}
	}
	slices.Sort(withheld)
	return environ, slices.Compact(withheld)
}
