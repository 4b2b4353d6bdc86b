package tests

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/org/promote/pkg/regular"
)

const (
	// reportCap bounds the size in bytes of one report; larger ones hold logs, not results.
	reportCap = 64 << 20
	// reportsCap bounds all reports of one kind together.
	reportsCap = 512 << 20
)

// ReportFiles are the files of one kind that a run left.
type ReportFiles struct {
	Found []string
	// Stale is how many matched, but were there before the command began: they are of an earlier run.
	Stale int
}

// CheckPatterns refuses a pattern that does not read.
func CheckPatterns(patterns []string) error {
	for _, pattern := range patterns {
		if _, err := filepath.Match(pattern, ""); err != nil {
			return fmt.Errorf("has the pattern %q, which does not read: a [ is not closed", pattern)
		}
	}
	return nil
}

// FindReports looks for files that match the patterns, below the working directory for relative ones.
func FindReports(kind, dir string, patterns []string, began time.Time) (ReportFiles, error) {
	var all []string
	for _, pattern := range patterns {
		matches, err := glob(dir, pattern)
		if err != nil {
			return ReportFiles{}, fmt.Errorf("looking for %s files %q: %w", kind, pattern, err)
		}
		all = append(all, matches...)
	}
	slices.Sort(all)
	var files ReportFiles
	total := int64(0)
	for _, file := range slices.Compact(all) {
		info, err := os.Stat(file)
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		if stale(info.ModTime(), began) {
			files.Stale++
			continue
		}
		if info.Size() > reportCap {
			return files, fmt.Errorf("reading %s file %q: it has %d MiB, more than %d; a report holds results, no logs", kind, file, info.Size()>>20, reportCap>>20)
		}
		if total += info.Size(); total > reportsCap {
			return files, fmt.Errorf("reading %s file %q: the files have more than %d MiB together; name fewer of them", kind, file, reportsCap>>20)
		}
		files.Found = append(files.Found, file)
	}
	return files, nil
}

// OpenReport opens one of the files found. What code under test has left may be another thing by now.
func OpenReport(path string) (io.ReadCloser, error) { return regular.Open(path, reportCap) }

// stale says whether a file was written before a command began. Some file systems keep whole seconds; and the kernel dates
// files with a clock that only moves with its timer, at most 10 ms late.
func stale(written, began time.Time) bool {
	if written.Nanosecond() == 0 {
		return written.Before(began.Truncate(time.Second))
	}
	return written.Before(began.Add(-20 * time.Millisecond))
}

// junitReader gathers the tests of several JUnit files.
type junitReader struct {
	at        *Places
	allowance allowance
	tests     []Test
	byName    map[string]int // index in tests
}

// readJUnit reads all files. A test that two files report is one test, and a failure in one of them outweighs.
func readJUnit(at *Places, files []string) (Results, error) {
	r := junitReader{at: at, byName: map[string]int{}}
	for _, file := range files {
		if err := r.file(file); err != nil {
			return Results{}, fmt.Errorf("reading JUnit file %q: %w", file, err)
		}
	}
	return Results{Known: len(files) > 0, Tests: r.tests}, nil
}

func (r *junitReader) file(path string) error {
	in, err := OpenReport(path)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	one := junitFile{base: filepath.Dir(path), byName: map[string]int{}, allowance: &r.allowance, room: mostTests - len(r.tests)}
	if err := one.read(in); err != nil {
		return err
	}
	before := len(r.tests)
	for _, found := range one.tests {
		found.File, found.Line = r.place(found, one.base)
		key := found.String()
		i, known := r.byName[key]
		if known && i < before { // of another file
			if found.Outcome == Failed && (r.tests[i].Outcome != Failed || r.tests[i].recovered) {
				r.tests[i] = found.Test
			}
			continue
		}
		r.byName[key] = len(r.tests)
		r.tests = append(r.tests, found.Test)
	}
	return nil
}

// place takes the place of a failure from what it printed; else from the test's attributes, if its runner writes them, or its
// class.
func (r *junitReader) place(t reported, base string) (string, int) {
	if t.Output == "" && t.Outcome != Failed {
		return "", 0
	}
	own := r.at.find(t.attrFile, r.at.dir, r.at.workspace, base)
	file, line := r.at.in(t.Output, r.at.dir, r.at.workspace)
	switch {
	case own != "" && own != file:
		// The first file that is named need not be the test's own; a line in that one is better still.
		if line := r.at.lineIn(t.Output, own, r.at.dir, r.at.workspace); line > 0 {
			return own, line
		}
		if file == "" {
			return own, t.attrLine
		}
	case file == "":
		return cmp.Or(r.at.class(t.Suite), r.at.find(t.Suite, r.at.dir, r.at.workspace)), 0
	}
	return file, line
}
