package tests

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// runnersHome is where the reports in testdata were made, as their paths say.
const runnersHome = "/home/runner/work/shop/shop"

// copyReports copies what a runner left into a folder, whose name then stands in the paths.
func copyReports(runner, to string) error {
	from := filepath.Join(testReports, runner)
	return filepath.WalkDir(from, func(path string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(from, path)
		target := filepath.Join(to, relative)
		if err != nil || entry.IsDir() {
			return errors.Join(err, os.MkdirAll(target, 0o755))
		}
		data, err := os.ReadFile(path)
		return errors.Join(err, os.WriteFile(target, bytes.ReplaceAll(data, []byte(runnersHome), []byte(to)), 0o644))
	})
}

// listed is list with what is flaky.
func listed(r Results) []string {
	all := list(r)
	for i, t := range r.Tests {
		if t.Flaky {
			all[i] = "flaky, " + all[i]
		}
	}
	return all
}

func TestReportsOfRunners(t *testing.T) {
	for runner, test := range map[string]struct {
		code int
		want []string
	}{
		"jest":   {1, []string{"passed cart adds", "failed cart tax at src/cart.test.js:6", "flaky, passed cart flaky", "skipped cart later"}},
		"vitest": {1, []string{"passed cart > adds", "failed cart > tax at src/cart.test.js", "flaky, passed cart > flaky", "skipped cart > later"}},
		"mocha":  {1, []string{"passed cart adds", "failed cart tax at test/cart.js:6", "passed cart flaky"}},
		"node":   {1, []string{"passed adds", "failed tax at cart.test.js:5", "passed fine", "skipped later"}},
		"pytest": {1, []string{
			"passed test_sum", "failed test_tax at test_price.py:12", "flaky, passed test_flaky", "skipped test_later",
			"passed test_count[1]", "failed test_count[2] at test_price.py:26", "failed test_db at test_price.py:30",
		}},
		"phpunit": {1, []string{
			"passed testSum", "failed testTax at tests/PriceTest.php:13", "skipped testLater", "failed testBroken at tests/PriceTest.php:23",
			"passed testCount with data set #0", "failed testCount with data set #1 at tests/PriceTest.php:29",
		}},
		"rspec": {1, []string{"passed price adds", "failed price has the tax at spec/price_spec.rb:7", "skipped price comes later"}},
		"surefire": {1, []string{
			"failed broken at src/test/java/com/shop/PriceTest.java:21", "passed sum", "failed tax at src/test/java/com/shop/PriceTest.java:12",
			"flaky, passed flaky at src/test/java/com/shop/PriceTest.java:16", "skipped later",
		}},
		"gradle":    {1, []string{"passed adds()", "failed tax() at app/src/test/kotlin/shop/CartTest.kt:9", "skipped later()"}},
		"nextest":   {100, []string{"passed tests::sum", "flaky, passed tests::flaky at src/lib.rs:14", "failed tests::tax_is_right at src/lib.rs:21"}},
		"dotnet":    {1, []string{"passed Adds", "failed Tax at Shop.Tests/CartTests.cs:15", "skipped Later"}},
		"gotestsum": {0, []string{"flaky, passed TestFlaky at shop_test.go:13", "passed TestSum"}},
		"cargo":     {101, []string{"skipped tests::later", "passed tests::sum", "failed tests::tax_is_right at src/lib.rs:21"}},
	} {
		t.Run(runner, func(t *testing.T) {
			dir := t.TempDir()
			if err := copyReports(runner, dir); err != nil {
				t.Fatal(err)
			}
			at := &Places{workspace: dir, dir: dir}
			out := &watch{out: io.Discard}
			if output, err := os.ReadFile(filepath.Join(dir, "output.txt")); err == nil {
				_, _ = out.Write(output)
			}
			got := out.cargo.results(at)
			if report := filepath.Join(dir, "report.xml"); isFile(report) {
				var err error
				if got, err = readJUnit(at, []string{report}); err != nil {
					t.Fatal(err)
				}
			}
			got.retried(out.retried())
			got.settle(test.code)
			if diff := cmp.Diff(test.want, listed(got)); diff != "" || !got.Known {
				t.Error(diff)
			}
		})
	}
	for runner, test := range map[string]struct {
		code int
		want []string
	}{
		"gotestsum": {0, []string{"passed TestSum", "flaky, passed TestFlaky at shop_test.go:13"}},
		"race":      {1, []string{"failed TestRace at shop_test.go:12", "passed TestSum"}},
	} {
		t.Run("events of "+runner, func(t *testing.T) {
			dir := t.TempDir()
			if err := copyReports(runner, dir); err != nil {
				t.Fatal(err)
			}
			events, err := os.ReadFile(filepath.Join(dir, "events.json"))
			if err != nil {
				t.Fatal(err)
			}
			report := newGoReport(io.Discard)
			_, _ = report.Write(events)
			got := report.results(&Places{workspace: dir, dir: dir})
			got.settle(test.code)
			if diff := cmp.Diff(test.want, listed(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// readText reads JUnit from a text.
func readText(t *testing.T, texts ...string) (Results, error) {
	t.Helper()
	dir := t.TempDir()
	var files []string
	for i, text := range texts {
		file := filepath.Join(dir, string(rune('a'+i))+".xml")
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return readJUnit(&Places{workspace: dir, dir: dir}, files)
}

func TestOneNameSeveralResults(t *testing.T) {
	fail := `<testcase classname="a" name="x"><failure message="bad"/></testcase>`
	pass := `<testcase classname="a" name="x"/>`
	other := `<testcase classname="a" name="y"><error/></testcase>`
	suite := func(inner ...string) string { return "<testsuite>" + strings.Join(inner, "") + "</testsuite>" }
	for name, test := range map[string]struct {
		files []string
		code  int
		want  []string
	}{
		"a pass after a failure is flaky when the command ended well":    {[]string{suite(fail, pass)}, 0, []string{"flaky, passed x"}},
		"it is a failure when nothing else explains the exit code":       {[]string{suite(fail, pass)}, 1, []string{"failed x"}},
		"it is flaky when another failure explains the exit code":        {[]string{suite(fail, pass, other)}, 1, []string{"flaky, passed x", "failed y"}},
		"a failure after a pass is a failure":                            {[]string{suite(pass, fail)}, 0, []string{"passed x", "failed x"}},
		"a failure of each try is one failure":                           {[]string{suite(fail, fail, fail)}, 0, []string{"failed x"}},
		"a failure after a pass that came too late is one":               {[]string{suite(fail, pass, fail)}, 0, []string{"failed x"}},
		"two tests of one name that pass are two":                        {[]string{suite(pass, pass)}, 0, []string{"passed x", "passed x"}},
		"a test that two files report is one":                            {[]string{suite(pass), suite(pass)}, 0, []string{"passed x"}},
		"a failure in one file outweighs a pass in another, before it":   {[]string{suite(pass), suite(fail)}, 0, []string{"failed x"}},
		"a failure in one file outweighs a pass in another, also after":  {[]string{suite(fail), suite(pass)}, 0, []string{"failed x"}},
		"a failure in another file outweighs one that was run again too": {[]string{suite(fail, pass), suite(fail)}, 0, []string{"failed x"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := readText(t, test.files...)
			if err != nil {
				t.Fatal(err)
			}
			got.settle(test.code)
			if diff := cmp.Diff(test.want, listed(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestReportsOfAnEarlierRunDoNotCount(t *testing.T) {
	began := time.Date(2026, 11, 24, 12, 0, 5, 300_000_000, time.UTC)
	for name, test := range map[string]struct {
		written time.Time
		found   int
	}{
		"written after it began":                                   {began.Add(time.Millisecond), 1},
		"written as it began, dated by the kernel's slower clock":  {began.Add(-8 * time.Millisecond), 1},
		"written in the same second, and before":                   {began.Add(-200 * time.Millisecond), 0},
		"dated in whole seconds, and so maybe written in the same": {began.Truncate(time.Second), 1},
		"dated in whole seconds, and before":                       {began.Truncate(time.Second).Add(-time.Second), 0},
	} {
		t.Run(name, func(t *testing.T) {
			dir := folder(t, map[string]string{"a.xml": "<testsuite/>"})
			if err := os.Chtimes(filepath.Join(dir, "a.xml"), test.written, test.written); err != nil {
				t.Fatal(err)
			}
			got, err := FindReports("JUnit", dir, []string{"*.xml"}, began)
			if err != nil || len(got.Found) != test.found || got.Stale != 1-test.found {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}
