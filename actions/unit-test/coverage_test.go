package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/org/promote/pkg/tests"
)

func TestCoverageOfRunners(t *testing.T) {
	for file, want := range map[string]string{
		"jest/lcov.info": "75.0", "jest/cobertura.xml": "75.0", "vitest/lcov.info": "66.7", "vitest/cobertura.xml": "66.7",
		"pytest/lcov.info": "91.7", "pytest/cobertura.xml": "91.7",
	} {
		t.Run(file, func(t *testing.T) {
			got, err := coverageFile(filepath.Join(testReports, filepath.FromSlash(file)))
			if err != nil || tests.Percent(got.tenths()) != want {
				t.Errorf("got %q, %v; want %s", tests.Percent(got.tenths()), err, want)
			}
		})
	}
}

func TestCoverage(t *testing.T) {
	for name, test := range map[string]struct {
		files []string
		want  string
	}{
		"statements count, not blocks":             {[]string{"mode: set\na.go:1.2,3.4 3 1\na.go:5.1,6.2 1 0\n"}, "75.0"},
		"a block that one of two profiles ran":     {[]string{"mode: atomic\na.go:1.2,3.4 1 0\na.go:1.2,3.4 1 12\na.go:9.2,9.4 1 0\n"}, "50.0"},
		"profiles that were put together with cat": {[]string{"mode: set\na.go:1.2,3.4 1 1\nmode: set\nb.go:1.2,3.4 1 0\n"}, "50.0"},
		"a path with spaces and colons":            {[]string{"mode: set\nc:/my code/a.go:1.2,3.4 1 1\n"}, "100.0"},
		"several files of one line, in two formats": {[]string{
			"TN:\nSF:a.js\nDA:1,0\nDA:2,0\nend_of_record\n",
			`<coverage><packages><package><classes><class filename="a.js"><lines><line number="1" hits="3"/></lines></class></classes></package></packages></coverage>`,
		}, "50.0"},
		"an lcov file with totals alone":                {[]string{"TN:x\nSF:a.c\nLF:8\nLH:3\nend_of_record\n"}, "37.5"},
		"an lcov file with checksums and huge counts":   {[]string{"SF:a.c\nDA:1,1e+20,abc\nDA:2,0,def\nend_of_record\n"}, "50.0"},
		"a Cobertura file with totals alone":            {[]string{`<?xml version="1.0"?><coverage lines-valid="3" lines-covered="1"/>`}, "33.3"},
		"lines of methods are those of the class again": {[]string{`<coverage><class filename="a"><methods><method><lines><line number="1" hits="0"/><line number="9" hits="0"/></lines></method></methods><lines><line number="1" hits="1"/></lines></class></coverage>`}, "100.0"},
		"almost all is not all":                         {[]string{"mode: set\na.go:1.2,3.4 99999 1\na.go:5.1,6.2 1 0\n"}, "99.9"},
		"nothing that could be run":                     {[]string{"mode: set\n"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var all coverage
			for _, text := range test.files {
				file := filepath.Join(folder(t, map[string]string{"cover": text}), "cover")
				one, err := coverageFile(file)
				if err != nil {
					t.Fatal(err)
				}
				if err := all.join(one); err != nil {
					t.Fatal(err)
				}
			}
			if got := tests.Percent(all.tenths()); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
	for name, test := range map[string]struct{ text, want string }{
		"an empty file":                   {"", "line 1: it is empty"},
		"another format":                  {"<<<<", "line 1: "},
		"plain text":                      {"hello", "line 1: it is no Go cover profile"},
		"a JUnit file":                    {"\n<testsuite/>", "line 2: its first element is <testsuite>"},
		"a Go profile that is cut off":    {"mode: set\na.go:1.2,3.4 1 1\na.go:5.1", `line 3: "a.go:5.1" is no block`},
		"an lcov file without a count":    {"SF:a\nDA:1\nend_of_record\n", `line 2: "DA:1" has no line number and count`},
		"an lcov file with a bad count":   {"SF:a\nDA:1,x\n", `line 2: "DA:1,x" has no count`},
		"an lcov file with a bad total":   {"SF:a\nLF:-4\n", `line 2: "LF:-4" has no count`},
		"an lcov line outside of a file":  {"TN:\nDA:1,1\n", "line 2: \"DA:1,1\" stands outside of a file"},
		"an lcov file that is cut off":    {"SF:a\nDA:1,1\n", "line 2: the last record has no end_of_record"},
		"a Cobertura file with bad hits":  {"<coverage><class filename='a'><lines>\n<line number='1' hits='many'/>", `line 2: line number 1 has the hits "many"`},
		"a Cobertura file with bad lines": {"<coverage><class filename='a'><lines>\n<line number='-1' hits='1'/>", `line 2: a line has the number "-1"`},
		"a Cobertura file that is broken": {"<coverage>\n</packages>", "line 2: XML syntax error"},
		"a Cobertura file nested deep":    {strings.Repeat("<coverage>", 1000), "line 1: its elements are nested more than 64 deep"},
		"a line of megabytes":             {"mode: set\n" + strings.Repeat("x", 2<<20), "line 2: bufio.Scanner: token too long"},
	} {
		t.Run(name+" is an error that names the line", func(t *testing.T) {
			file := filepath.Join(folder(t, map[string]string{"cover": test.text}), "cover")
			if _, err := coverageFile(file); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v\nwant %s", err, test.want)
			}
		})
	}
}
