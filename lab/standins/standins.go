// Package standins knows the actions of others that the templates use, and the folder here with what stands in for each in the lab,
// where github.com can't be reached. A stand-in does the little that the lab needs, really, and refuses what the real one refuses.
//
// It leaves an action that it does not know to act, which asks github.com for it.
//
//	actions := standins.For(workflow.Uses(), suite)
package standins

import (
	"path/filepath"
	"strings"
)

// folders are the stand-ins by the action's name.
var folders = map[string]string{
	"actions/checkout":                      "checkout",
	"actions/upload-artifact":               "upload-artifact",
	"aws-actions/configure-aws-credentials": "configure-aws-credentials",
}

// For maps those of the used actions, `owner/name@ref`, that have a stand-in to its folder below the suite's. The key is the whole of
// what is used, so that whatever commit a workflow pins is the one that is replaced.
func For(uses []string, suite string) map[string]string {
	found := map[string]string{}
	for _, use := range uses {
		name, _, _ := strings.Cut(use, "@")
		if folder, there := folders[name]; there {
			found[use] = filepath.Join(suite, "lab", "standins", folder)
		}
	}
	return found
}
