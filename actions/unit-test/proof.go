package main

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/org/promote/pkg/github"
	"github.com/org/promote/pkg/tests"
)

// proof is a status that proves that a tree passed a suite.
type proof struct {
	// commit has the tree, run is the page of the run that tested it.
	commit, run string
	mark        tests.Mark
	// newest says that no status of the context came after it on that commit.
	newest bool
}

// trust is which statuses count.
type trust struct {
	// tree and suite are those that must have passed.
	tree, suite string
	// runs is how the page of every run of this repository begins; self is the page of this one.
	runs, self string
}

// doubt is why a commit with the same tree is no proof.
type doubt struct {
	reason string
	// final says that the tree failed, or may have: then no other commit proves the contrary, and it must be tested again.
	final bool
}

// proven looks through the statuses of one commit, newest first, for the proof. Without one, the doubt says what stands against
// it, or is nil when there is nothing at all. What counts:
//
//   - Only what carries the mark of this tree and suite. The name of the status alone could be another workflow's.
//   - Only what an app wrote (a workflow's token is one): a status that a person set by hand is no run. Everybody who may write
//     statuses may also change workflows, so this guards against mistakes and not against malice.
//   - Only a link to a run of this repository, and never to the run that asks: of a matrix, each leg must run.
//   - No failure after it, also by hand or of an older version; and no failure, nor a start without an end, of the same run:
//     another leg of its matrix did not pass.
func (t trust) proven(commit string, newestFirst []github.Written) (proof, *doubt) {
	why, other := "", ""
	against := func(format string, args ...any) { why = cmp.Or(why, fmt.Sprintf(format, args...)) }
	for i, s := range newestFirst {
		run, m, marked := tests.ReadMark(s.URL)
		if marked && (m.Tree != t.tree || m.Suite != t.suite) {
			other = "another command, folder or platform was run"
			continue
		}
		switch {
		case s.State == github.Failure || s.State == github.Broken:
			return proof{}, &doubt{reason: cmp.Or(why, "the last result is a failure"), final: true}
		case s.State != github.Success:
			continue
		case !marked:
			against("its success does not say what was run")
		case !s.ByBot:
			against("its success was set by %s and not by a workflow", s.By)
		case !strings.HasPrefix(run, t.runs):
			against("its success does not link to a run of this repository")
		case run == t.self:
			against("its success is of this very run, where it may be another job of a matrix")
		case !t.allPassed(run, newestFirst):
			return proof{}, &doubt{reason: "another job of the same run did not pass", final: true}
		default:
			return proof{commit: commit, run: run, mark: m, newest: i == 0}, nil
		}
	}
	if why = cmp.Or(why, other); why != "" {
		return proof{}, &doubt{reason: why}
	}
	return proof{}, nil
}

// allPassed says whether everything that one run began with this suite ended well.
func (t trust) allPassed(of string, statuses []github.Written) bool {
	open := 0
	for _, s := range statuses {
		run, m, marked := tests.ReadMark(s.URL)
		if run != of || marked && m.Suite != t.suite {
			continue
		}
		switch s.State {
		case github.Pending:
			open++
		case github.Success:
			open--
		default:
			return false
		}
	}
	return open <= 0
}
