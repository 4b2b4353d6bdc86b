package tests

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Outcome is how one test ended.
type Outcome string

// The outcomes.
const (
	Passed  Outcome = "passed"
	Failed  Outcome = "failed"
	Skipped Outcome = "skipped"
)

// Test is one test as it was reported.
type Test struct {
	// Suite is the package, class or file that the test is in.
	Suite, Name string
	Outcome     Outcome
	Took        time.Duration
	// Output is what a failed test printed, or its message.
	Output string
	// File is relative to the repository's root, Line counts from 1; both are empty when the report does not tell.
	File string
	Line int
	// Flaky says that the test passed after it had failed. recovered says that it may have: the report has a failure of that
	// name and then a pass, which settle decides about.
	Flaky, recovered bool
}

// String is the test's full name.
func (t Test) String() string {
	return strings.Trim(t.Suite+" "+t.Name, " ")
}

// Results are all tests that were reported.
type Results struct {
	// Known says that there was a report at all; without one only the exit code speaks.
	Known bool
	Tests []Test
	// Running are tests that had begun and did not end.
	Running []string
}

func (r Results) with(outcome Outcome) []Test {
	var found []Test
	for _, t := range r.Tests {
		if t.Outcome == outcome {
			found = append(found, t)
		}
	}
	return found
}

// Count is how many tests ended so.
func (r Results) Count(outcome Outcome) int {
	n := 0
	for _, t := range r.Tests {
		if t.Outcome == outcome {
			n++
		}
	}
	return n
}

// Ran is how many tests did something.
func (r Results) Ran() int { return r.Count(Passed) + r.Count(Failed) }

// Flaky gives the tests that passed after a failure.
func (r Results) Flaky() []Test {
	var found []Test
	for _, t := range r.Tests {
		if t.Flaky {
			found = append(found, t)
		}
	}
	return found
}

// settle decides about tests that have a failure and then a pass under one name. Such a test was run again and is flaky if
// something else explains how the command ended: it ended well, or a test failed for good. Else these are two tests of one
// name, or a command for which one failure is enough (go test -count=2), and the failure stands.
func (r *Results) settle(code int) {
	explained := code == 0 || slices.ContainsFunc(r.Tests, func(t Test) bool { return t.Outcome == Failed && !t.recovered })
	for i := range r.Tests {
		if t := &r.Tests[i]; t.recovered {
			t.Outcome, t.Flaky = Failed, false
			if explained {
				t.Outcome, t.Flaky = Passed, true
			}
		}
	}
}

// retried marks the tests that the command's output says were run again. A name matches if it ends a test's full name.
func (r *Results) retried(names []string) {
	if len(names) == 0 {
		return
	}
	for i := range r.Tests {
		if t := &r.Tests[i]; t.Outcome == Passed {
			t.Flaky = t.Flaky || slices.ContainsFunc(names, t.isCalled)
		}
	}
}

// isCalled says whether a runner means this test by a name such as tests/test_price.py::TestCart::test_count[1] or "cart flaky".
func (t Test) isCalled(name string) bool {
	_, node, python := strings.Cut(name, "::")
	if python {
		class, _, nested := cutLast(node, "::")
		method := node[strings.LastIndexByte(node, ':')+1:]
		return t.Name == method && (!nested || strings.HasSuffix(t.Suite, "."+strings.ReplaceAll(class, "::", ".")))
	}
	return t.Name == name || t.Suite+" > "+t.Name == name || strings.HasSuffix(t.Name, " > "+name)
}

// cutLast cuts around the last separator.
func cutLast(text, separator string) (before, after string, found bool) {
	if i := strings.LastIndex(text, separator); i >= 0 {
		return text[:i], text[i+len(separator):], true
	}
	return text, "", false
}

// Failures gives the failed tests, those whose place is known first, for they help most.
func (r Results) Failures() []Test {
	all := r.with(Failed)
	slices.SortStableFunc(all, func(a, b Test) int {
		return cmp.Compare(btoi(a.File == ""), btoi(b.File == ""))
	})
	return all
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// slowest gives the n tests that took longest; those that took no time to speak of are left out.
func (r Results) slowest(n int) []Test {
	all := slices.DeleteFunc(slices.Clone(r.Tests), func(t Test) bool { return t.Took < 10*time.Millisecond })
	slices.SortStableFunc(all, func(a, b Test) int { return cmp.Compare(b.Took, a.Took) })
	return all[:min(n, len(all))]
}

// Counts says in words how many tests passed and did not.
func (r Results) Counts() string {
	if !r.Known {
		return "no report of single tests"
	}
	parts := []string{}
	if n := r.Count(Failed); n > 0 {
		parts = append(parts, fmt.Sprintf("%d of %s failed", n, plural(r.Ran())))
	} else {
		parts = append(parts, plural(r.Count(Passed))+" passed")
	}
	if n := r.Count(Skipped); n > 0 {
		parts = append(parts, fmt.Sprintf("%d skipped", n))
	}
	if n := len(r.Flaky()); n > 0 {
		parts = append(parts, fmt.Sprintf("%d flaky", n))
	}
	return strings.Join(parts, ", ")
}

func plural(tests int) string {
	if tests == 1 {
		return "1 test"
	}
	return fmt.Sprintf("%d tests", tests)
}

// join puts two reports of one run together.
func (r Results) join(other Results) Results {
	return Results{
		Known:   r.Known || other.Known,
		Tests:   append(slices.Clone(r.Tests), other.Tests...),
		Running: append(slices.Clone(r.Running), other.Running...),
	}
}

// mostNamed bounds how many tests a sentence names.
const mostNamed = 5

// FailedNames lists the failed tests for a sentence, at most so many.
func (r Results) FailedNames() string {
	var all []string
	for _, t := range r.Failures() {
		all = append(all, t.Name)
	}
	return strings.Join(first(all, mostNamed), ", ")
}

// RunningNames lists the tests that had begun and did not end, at most so many; "" when no report says.
func (r Results) RunningNames() string { return strings.Join(first(r.Running, mostNamed), ", ") }

// first gives at most so many items, and says how many there are besides.
func first(items []string, most int) []string {
	if len(items) <= most {
		return items
	}
	return append(append([]string{}, items[:most]...), fmt.Sprintf("and %d more", len(items)-most))
}
