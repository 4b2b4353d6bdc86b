// Package gha speaks the protocol of GitHub's runner: typed inputs, outputs, masks, groups, annotations, the summary,
// signals and the exit code. It wraps go-githubactions and closes its gaps: outputs use a random delimiter, text from
// outside cannot give commands, annotations and summary stay within GitHub's limits, a file that cannot be written is an
// error and not a panic.
//
// It refuses to guess: an input that does not parse is a problem that names the input and the fix, all problems come at
// once, and an output that holds a masked secret is an error, because GitHub would drop it without a word.
//
//	func main() { os.Exit(gha.Run(os.Getenv, os.Stdout, run)) }
//
//	func run(ctx context.Context, a *gha.Action) error {
//		in := a.Inputs()
//		environment := in.Required("environment", "name the environment to deploy to, for instance test")
//		timeout := in.Duration("timeout", 10*time.Minute)
//		if err := in.Err(); err != nil {
//			return err
//		}
//		…
//	}
//
// Rules for what is printed stand here once. Everything passes through one writer, a line at a time, so that lines of a
// child process never mix with ours. Text that was not written in this repository (titles, branch names, output of
// commands, error messages) may hold "::commands::": they are broken up by a space and so stay readable but do nothing.
// Values that were masked are replaced by ***, in every form that they can take (see package mask), and again by the runner.
package gha

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/sethvargo/go-githubactions"
)

// Action is one run of one action. Its methods may be called from several goroutines.
type Action struct {
	getenv func(string) string
	inner  *githubactions.Action
	out    *output
	files  ledger

	mu        sync.Mutex
	annotated map[Level]int
	// told are the masks that the runner knows.
	told map[string]bool
}

// New gives the action that reads its surroundings from getenv and prints to stdout.
func New(getenv func(string) string, stdout io.Writer) *Action {
	out := &output{w: stdout}
	return &Action{
		getenv:    getenv,
		out:       out,
		annotated: map[Level]int{},
		told:      map[string]bool{},
		inner:     githubactions.New(githubactions.WithGetenv(getenv), githubactions.WithWriter(out)),
	}
}

// ExitError gives a run's error an exit code of its own, for instance that of the command that was run.
type ExitError struct {
	// Code is the exit code; 0 is read as 1.
	Code int
	Err  error
}

func (e *ExitError) Error() string { return e.Err.Error() }

func (e *ExitError) Unwrap() error { return e.Err }

// problems takes an error apart that was joined of several, so that each can be shown by itself.
func problems(err error) []error {
	if exit, ok := err.(*ExitError); ok { //nolint:errorlint // a wrapped one has text around it that must be kept
		return problems(exit.Err)
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok || err.Error() != errors.Join(joined.Unwrap()...).Error() {
		return []error{err}
	}
	var all []error
	for _, each := range joined.Unwrap() {
		all = append(all, problems(each)...)
	}
	return all
}

// commandFile gives the path of one of the runner's command files and whether the runner has named one.
func (a *Action) commandFile(variable string) (path string, ok bool) {
	path = a.getenv(variable)
	return path, path != ""
}

// issueFile appends to a command file through go-githubactions, which panics when that fails.
func (a *Action) issueFile(name, message string) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v", p)
		}
	}()
	a.files.mu.Lock()
	defer a.files.mu.Unlock()
	a.files.begin(a.getenv)
	a.inner.IssueFileCommand(&githubactions.Command{Name: name, Message: message})
	a.files.add(a.getenv("GITHUB_"+strings.ReplaceAll(strings.ToUpper(name), "-", "_")), message+githubactions.EOF)
	return nil
}
