package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/org/promote/pkg/preflight"
	"github.com/org/promote/pkg/shell"
	"github.com/org/promote/pkg/tests"
)

// changesFolder finds a command that goes to another folder.
var changesFolder = regexp.MustCompile(`(^|[\s;&|(])(cd|pushd)\s`)

// lookAtCommand says what a run would start, and which programs of it are not here.
func lookAtCommand(in inputs) []preflight.Finding {
	if in.command == "" {
		return nil // the inputs' own problem
	}
	told := firstLine(in.command)
	if in.kind != "" {
		told = fmt.Sprintf("the folder holds a %s project, so it is %s", in.kind, told)
	}
	findings := []preflight.Finding{{Subject: "command", State: preflight.Good, Told: told}}
	programs, err := shell.Programs(in.command)
	if err != nil {
		findings[0].State, findings[0].Told, findings[0].Fix = preflight.Wrong, fmt.Sprintf("bash would not read it: %v", err), "mend the input `command`"
	}
	moves := changesFolder.MatchString(in.command)
	var seen []string
	for i, name := range append([]string{"bash"}, programs...) {
		if slices.Contains(seen, name) || moves && strings.Contains(name, "/") && !filepath.IsAbs(name) {
			continue // where a path leads to from another folder is not known
		}
		seen = append(seen, name)
		if f, missing := lookAtProgram(in, name); missing {
			if i > 1 { // it may be what the first one installs
				f.State, f.Fix = preflight.Noted, "unless an earlier part of the command brings it, "+f.Fix
			}
			findings = append(findings, f)
		}
	}
	return findings
}

// lookAtProgram finds a program as bash would, in the folder that the command begins in.
func lookAtProgram(in inputs, name string) (f preflight.Finding, missing bool) {
	path := name
	if strings.Contains(name, "/") && !filepath.IsAbs(name) {
		path = filepath.Join(in.dir, name)
	}
	_, err := exec.LookPath(path)
	if err == nil {
		return preflight.Finding{}, false
	}
	f = preflight.Finding{Subject: name, State: preflight.Wrong, Told: "this runner has no such program", Fix: "install it in a step before this one, or change the input `command`"}
	if info, err := os.Stat(path); path != name && err == nil && info.Mode().IsRegular() {
		f.Told, f.Fix = "it may not be executed", fmt.Sprintf("make it executable: git update-index --chmod=+x %s", name)
	}
	return f, true
}

// lookAtReports says which files the patterns match that an earlier run has left, and which patterns are relative to another folder.
func lookAtReports(in inputs) []preflight.Finding {
	var findings []preflight.Finding
	for _, each := range []struct {
		input, kind string
		patterns    []string
	}{{"junit", "JUnit", in.junit}, {"coverage", "coverage", in.coverage}} {
		for _, pattern := range each.patterns {
			f := preflight.Finding{Subject: each.input + ": " + pattern, State: preflight.Noted, Told: "no file matches yet; the command has to write it"}
			found, err := tests.FindReports(each.kind, in.dir, []string{pattern}, time.Time{})
			own, misplaced := belowDir(in, pattern)
			switch {
			case err != nil:
				f.State, f.Told = preflight.Unknown, err.Error()
			case len(found.Found) > 0:
				f.State, f.Told = preflight.Good, fmt.Sprintf("%d files match that lie here already", len(found.Found))
			case misplaced:
				f.State, f.Told, f.Fix = preflight.Wrong, fmt.Sprintf("it is relative to the working directory %q, and no such folder is in there", in.suite().WorkingDirectory), fmt.Sprintf("write `%s`", own)
			}
			findings = append(findings, f)
		}
	}
	return findings
}

// belowDir says whether a pattern names the working directory again, and gives what it is relative to it.
func belowDir(in inputs, pattern string) (own string, misplaced bool) {
	directory := in.suite().WorkingDirectory
	own, again := strings.CutPrefix(filepath.ToSlash(filepath.Clean(pattern)), directory+"/")
	if !again || directory == "." {
		return "", false
	}
	_, err := os.Stat(filepath.Join(in.dir, directory))
	return own, err != nil
}
