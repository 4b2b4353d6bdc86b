package tests

import "strings"

// results gives what was read so far. A test with subtests is counted by these, and by itself only when it failed and none
// of them did. A package that failed without a failed test (it does not build, it panicked, it ran out of time) counts as
// one.
func (g *goReport) results(at *Places) Results {
	found := Results{Known: g.seen}
	for _, p := range g.packages {
		dir, root := at.packageDir(p.name)
		unfinished := p.countSubtests()
		for _, t := range unfinished {
			found.Running = append(found.Running, p.name+" "+t.name)
		}
		p.blame(unfinished)
		failures := 0
		for _, t := range p.tests {
			again := t.failedBefore && t.outcome == Passed
			// What holds subtests speaks for itself only about a failure that none of them had.
			holds := t.subtests > 0 && (t.failedSubtests > 0 || t.outcome != Failed && !again)
			if t.outcome == "" || holds {
				continue
			}
			one := Test{Suite: p.name, Name: t.name, Outcome: t.outcome, Took: t.took, recovered: again}
			if t.outcome == Failed || again {
				failures++
				one.Output = t.kept
				one.File, one.Line = at.in(one.Output, dir, root, at.dir)
			}
			found.Tests = append(found.Tests, one)
		}
		if failures == 0 && (p.outcome == Failed || p.failedBefore) {
			found.Tests = append(found.Tests, g.packageFailure(p, at, dir, root))
		}
	}
	return found
}

// packageFailure is the failure of a package in which no test failed.
func (g *goReport) packageFailure(p *goPackage, at *Places, dirs ...string) Test {
	one := Test{Suite: p.name, Name: "(package)", Outcome: Failed, Output: g.allowance.of(p.output.String())}
	if build := g.builds[p.failedBuild]; build != nil {
		one.Name, one.Output = "(build)", g.allowance.of(build.String())
	}
	one.recovered = p.outcome != Failed
	one.File, one.Line = at.in(one.Output, append(dirs, at.dir)...)
	return one
}

// countSubtests fills in, for every test, what is below it, and gives the tests that did not end and have no such subtest.
// Those that wait for their turn are no cause of anything, so they count only when nothing else does.
func (p *goPackage) countSubtests() (unfinished []*goTest) {
	for _, t := range p.tests {
		for above := parent(t.name); above != ""; above = parent(above) {
			if one := p.byName[above]; one != nil {
				one.subtests++
				one.failedSubtests += btoi(t.outcome == Failed || t.failedBefore)
				one.openSubtests += btoi(t.outcome == "" && !t.paused)
			}
		}
	}
	var waiting []*goTest
	for _, t := range p.tests {
		switch {
		case t.outcome != "" || t.openSubtests > 0:
		case t.paused:
			waiting = append(waiting, t)
		default:
			unfinished = append(unfinished, t)
		}
	}
	if len(unfinished) == 0 {
		return waiting
	}
	return unfinished
}

// blame fails the tests that did not end in a package that failed, unless a test of it failed by its own word: a panic ends
// all of them, and go test says whose it was.
func (p *goPackage) blame(unfinished []*goTest) {
	if p.outcome != Failed {
		return
	}
	for _, t := range p.tests {
		if t.outcome == Failed && t.failedSubtests == 0 {
			return
		}
	}
	for _, t := range unfinished {
		t.outcome = Failed
		if t.kept == "" {
			t.kept = quiet(t.output.String())
		}
		for above := parent(t.name); above != ""; above = parent(above) {
			if one := p.byName[above]; one != nil {
				one.failedSubtests++
			}
		}
	}
}

// parent is the test that a subtest belongs to, or "".
func parent(test string) string {
	return test[:max(0, strings.LastIndexByte(test, '/'))]
}
