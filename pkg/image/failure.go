package image

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Failure is what a builder said when it gave up. It is text that the Dockerfile's author can choose.
type Failure struct {
	Step  string   // the failing step as the builder names it, or ""
	Lines []string // the last lines of the step's output
	Cause string   // the builder's closing error line, or ""
}

// BuildError says that the builder ran and failed.
type BuildError struct {
	Builder string
	Failure
	Err error // how the process ended
}

func (e *BuildError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "building with %q", e.Builder)
	if e.Step != "" {
		fmt.Fprintf(&b, ": step %q", e.Step)
	}
	if e.Cause != "" {
		fmt.Fprintf(&b, ": %s", e.Cause)
	} else {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	for _, line := range e.Lines {
		b.WriteString("\n  " + line)
	}
	return b.String()
}

func (e *BuildError) Unwrap() error { return e.Err }

// shownLines is how much of a failing step's output an error carries: enough for a compiler's first messages, and an
// annotation on GitHub ends at 4096 characters.
const shownLines = 20

// rule is how BuildKit's plain progress frames the summary of a failed step:
//
//	------
//	 > [build 2/2] RUN go build .:
//	0.412 ./main.go:7: undefined: x
//	------
//	Dockerfile:4
//	…
//	ERROR: failed to build: failed to solve: process "…" did not complete successfully: exit code: 1
const rule = "------"

// progress matches lines that tell how far the build is and nothing about a failure; buildctl's own log lines are no better.
var progress = regexp.MustCompile(`^(#\d+ (\[|DONE|CACHED|transferring|resolve|sha256|building with|\.\.\.).*|time=".*|\s*)$`)

// step matches the line in which buildah begins a step; the output of the last one begun is that of the failing one.
var step = regexp.MustCompile(`^(\[[^]]+\] )?STEP \d+/\d+: `)

// failureIn finds the failing step in the last lines of a builder's output.
func failureIn(lines []string) Failure {
	var f Failure
	for i := len(lines) - 1; i >= 0; i-- {
		if f.Cause = closing(lines[i]); f.Cause != "" {
			lines = lines[:i]
			break
		}
	}
	end := -1
	for i := len(lines) - 1; i >= 0; i-- {
		if lines[i] != rule {
			continue
		}
		if end < 0 {
			end = i
			continue
		}
		body := lines[i+1 : end]
		if len(body) > 0 && strings.HasPrefix(body[0], " > ") {
			f.Step = strings.TrimSuffix(strings.TrimPrefix(body[0], " > "), ":")
			body = body[1:]
		}
		f.Lines = last(body, shownLines)
		return f
	}
	for i := len(lines) - 1; i >= 0 && end < 0; i-- {
		if step.MatchString(lines[i]) {
			f.Step, f.Lines = lines[i], last(lines[i+1:], shownLines)
			return f
		}
	}
	if end >= 0 { // the frame begins before what was kept
		lines = lines[:end]
	}
	f.Lines = last(slices.DeleteFunc(slices.Clone(lines), progress.MatchString), shownLines)
	return f
}

// closing gives the error in a builder's closing line, "" if it is none.
func closing(line string) string {
	for _, prefix := range []string{"ERROR: ", "error: ", "Error: "} {
		if text, found := strings.CutPrefix(line, prefix); found {
			return strings.TrimPrefix(strings.TrimPrefix(text, "failed to build: "), "failed to solve: ")
		}
	}
	return ""
}

func last(lines []string, n int) []string { return lines[max(0, len(lines)-n):] }
