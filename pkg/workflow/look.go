// Package workflow reads the workflow files of a repository and finds where they have drifted from this version of promote: inputs that an
// action does not have, rights that a job lacks, jobs that nothing bounds, deployments that the next run would cut off, versions that
// differ. It compares with the action.yml files and the workflows-templates of the tree that the running action came with.
//
// It refuses to judge what stands behind an expression, and files that are too large or lead out of the checkout: it says so instead. It
// reads alone.
//
//	seen := preflight.Run(ctx, workflow.Look(workspace, workflow.Root(env.ActionPath)))
package workflow

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/org/promote/pkg/preflight"
	"github.com/org/promote/pkg/regular"
)

const (
	area = "workflows"
	// fileCap bounds a workflow file in bytes; GitHub's own bound for what a file unfolds to is 1 MiB.
	fileCap = 1 << 20
	// mostFiles bounds how many are read. The largest repositories have a few hundred.
	mostFiles = 1000
)

// folder is where GitHub looks for workflows.
var folder = filepath.Join(".github", "workflows")

// Look looks at the workflow files of the checkout in workspace. root is the folder of the tree of promote that runs, which holds
// actions/ and workflows-templates/.
func Look(workspace, root string) preflight.Look {
	return preflight.Look{Area: area, At: func(context.Context) []preflight.Finding {
		known, err := load(root)
		if err != nil {
			return []preflight.Finding{{Subject: "promote's own files", Told: fmt.Sprintf("there is nothing to compare with: %v", err)}}
		}
		uses, findings := scan(workspace)
		if len(uses) == 0 && len(findings) == 0 {
			return []preflight.Finding{{Subject: folder, Told: "no workflow that uses promote is in the checkout", Fix: "put actions/checkout before this step"}}
		}
		return append(findings, judge(uses, known, versionOf(root))...)
	}}
}

// Root is the tree of promote that the action in a folder came with: …/actions/build is two folders below it. "" gives "".
func Root(actionPath string) string {
	if actionPath == "" {
		return ""
	}
	return filepath.Dir(filepath.Dir(filepath.Clean(actionPath)))
}

// scan reads all workflow files. A finding is about one that could not be read.
func scan(workspace string) ([]use, []preflight.Finding) {
	var uses []use
	var findings []preflight.Finding
	for _, name := range list(filepath.Join(workspace, folder)) {
		subject := filepath.ToSlash(filepath.Join(folder, name))
		some, err := read(workspace, filepath.Join(workspace, folder, name), subject)
		if err != nil {
			findings = append(findings, preflight.Finding{Subject: subject, Told: fmt.Sprintf("it could not be read: %v", err)})
		}
		uses = append(uses, some...)
	}
	return uses, findings
}

// list gives the names of workflow files, in order. Who has no such folder has none.
func list(dir string) []string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	var names []string
	for _, entry := range entries {
		if kind := filepath.Ext(entry.Name()); (kind == ".yml" || kind == ".yaml") && !entry.IsDir() && len(names) < mostFiles {
			names = append(names, entry.Name())
		}
	}
	slices.Sort(names)
	return names
}

func read(within, path, subject string) ([]use, error) {
	if !regular.Inside(within, path) {
		return nil, fmt.Errorf("it leads out of %q", within)
	}
	data, err := regular.Read(path, fileCap)
	if err != nil {
		return nil, err
	}
	return parse(subject, data)
}

// versionOf is the ref that the running action was asked for by, which stands in the path that the runner puts it to:
// …/_actions/org/promote/v1. It is "" elsewhere: GitHub's own variable for it is empty or another action's in a composite's step
// (https://github.com/actions/runner/issues/2473).
func versionOf(root string) string {
	_, below, found := strings.Cut(filepath.ToSlash(root), "/_actions/")
	parts := strings.SplitN(below, "/", 3)
	if !found || len(parts) < 3 {
		return ""
	}
	return parts[2]
}
