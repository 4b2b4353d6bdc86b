package tests

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// seeds adds every file of the runners' reports.
func seeds(f *testing.F) {
	f.Helper()
	err := filepath.WalkDir(testReports, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		f.Add(data)
		return err
	})
	if err != nil {
		f.Fatal(err)
	}
}

// FuzzReports reads hostile files as every kind of report. It must end without a panic, and what it gives must make sense.
func FuzzReports(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		one := junitFile{byName: map[string]int{}, allowance: &allowance{}, room: 1000}
		if err := one.read(bytes.NewReader(data)); err == nil {
			for _, found := range one.tests {
				if found.Outcome == "" || found.Took < 0 || len(found.Name) > longestName+4 || len(found.Output) > outputCap {
					t.Errorf("got %+v", found)
				}
			}
		}
	})
}

// FuzzOutput takes hostile output in pieces of two sizes: what a person sees must not depend on how it came.
func FuzzOutput(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		read := func(size int) (string, string) {
			var seen strings.Builder
			out := &watch{out: &seen}
			report := newGoReport(out)
			for rest := data; len(rest) > 0; {
				n := min(size, len(rest))
				_, _ = report.Write(rest[:n])
				rest = rest[n:]
			}
			report.flush()
			at := &Places{}
			got := report.results(at).join(out.cargo.results(at))
			got.settle(0)
			return seen.String(), strings.Join(listed(got), "\n")
		}
		seen, tests := read(len(data))
		if again, same := read(7); again != seen || same != tests {
			t.Errorf("in one piece:\n%q\n%s\nin pieces:\n%q\n%s", seen, tests, again, same)
		}
	})
}
