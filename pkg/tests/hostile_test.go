package tests

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/org/promote/pkg/hostile"
)

func TestHostileReports(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"a bomb of entities": {`<!DOCTYPE b [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><testsuite name="&b;"/>`, `line 1: invalid character entity &b;`},
		"an outside entity":  {`<!DOCTYPE b [<!ENTITY x SYSTEM "file:///etc/passwd">]><testsuite><testcase name="x"><failure>&x;</failure></testcase></testsuite>`, `invalid character entity &x;`},
		"deep nesting":       {strings.Repeat("<testsuite>", 100_000), "line 1: its elements are nested more than 64 deep"},
		"a file cut off":     {"<testsuite>\n<testcase name='a'>", "line 2: unexpected EOF"},
		"an empty file":      {"", "it is empty"},
		"another file":       {"<html><body/></html>", "line 1: its first element is <html>"},
		"UTF-16":             {`<?xml version="1.0" encoding="UTF-16"?><testsuite/>`, "it is in UTF-16; write it in UTF-8"},
	} {
		t.Run(name+" is an error that names the file and the line", func(t *testing.T) {
			_, err := readText(t, test.text)
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), `a.xml"`) {
				t.Errorf("got %v\nwant %s", err, test.want)
			}
		})
	}
	t.Run("control characters and bytes that are no UTF-8 do no harm", func(t *testing.T) {
		got, err := readText(t, "<?xml version='1.0' encoding='ISO-8859-1'?><testsuite><testcase name='caf\xe9'><failure>\x1b[31mred\x00\x1b[0m</failure></testcase></testsuite>")
		if err != nil || len(got.Tests) != 1 || got.Tests[0].Name != "caf\uFFFD" || !strings.Contains(got.Tests[0].Output, "red") {
			t.Errorf("got %+v, %v", got, err)
		}
	})
	t.Run("what a failed test printed beside its failure is not taken for it", func(t *testing.T) {
		got, err := readText(t, "<testsuite><testcase name='a'><failure message='bad'>why<system-out>noise</system-out> it is</failure><system-err>more</system-err></testcase></testsuite>")
		if err != nil || len(got.Tests) != 1 || got.Tests[0].Output != "bad\nwhy it is" {
			t.Errorf("got %+v, %v", got, err)
		}
	})
	t.Run("more tests than can be told apart are an error", func(t *testing.T) {
		one := junitFile{byName: map[string]int{}, allowance: &allowance{}, room: 2}
		err := one.read(strings.NewReader("<testsuite>\n<testcase name='a'/>\n<testcase name='b'/>\n<testcase name='c'/>"))
		if err == nil || !strings.Contains(err.Error(), "line 4: there are more than 500000 tests") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a huge report is refused by its size", func(t *testing.T) {
		dir := t.TempDir()
		file := filepath.Join(dir, "huge.xml")
		if err := errors.Join(os.WriteFile(file, nil, 0o644), os.Truncate(file, 100<<20)); err != nil {
			t.Fatal(err)
		}
		_, err := FindReports("JUnit", dir, []string{"*.xml"}, time.Time{})
		if err == nil || !strings.Contains(err.Error(), `huge.xml": it has 100 MiB, more than 64`) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("many reports are refused by their size together", func(t *testing.T) {
		dir := t.TempDir()
		for i := range 9 {
			file := filepath.Join(dir, string(rune('a'+i))+".xml")
			if err := errors.Join(os.WriteFile(file, nil, 0o644), os.Truncate(file, 60<<20)); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := FindReports("JUnit", dir, []string{"*.xml"}, time.Time{}); err == nil || !strings.Contains(err.Error(), `i.xml": the files have more than 512 MiB together`) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("24 MiB of failures keep little memory", func(t *testing.T) {
		noise := strings.Repeat("x", 60<<10)
		var text strings.Builder
		text.WriteString("<testsuite>")
		for i := range 400 {
			text.WriteString(`<testcase name="t` + strings.Repeat("i", i%7) + string(rune('a'+i%26)) + `" classname="` + string(rune('a'+i%23)) + `"><failure>` + noise + "</failure></testcase>")
		}
		text.WriteString("</testsuite>")
		got, err := readText(t, text.String())
		if err != nil {
			t.Fatal(err)
		}
		kept := 0
		for _, each := range got.Tests {
			kept += len(each.Output)
		}
		if kept > outputsCap+len(got.Tests)*scantCap || len(got.Tests) < 300 {
			t.Errorf("%d tests keep %d bytes", len(got.Tests), kept)
		}
	})
}

// heap is what is in use after a collection, in bytes.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func TestALotOfOutputKeepsLittleMemory(t *testing.T) {
	for name, line := range map[string]string{
		"lines":                strings.Repeat("x", 99) + "\n",
		"one line without end": strings.Repeat("x", 100),
		"events of a test":     `{"Action":"output","Package":"p","Test":"TestA","Output":"` + strings.Repeat("x", 40) + `\n"}` + "\n",
	} {
		t.Run(name, func(t *testing.T) {
			report := newGoReport(&watch{out: io.Discard})
			before := heap()
			chunk := []byte(strings.Repeat(line, 1000))
			for range 100 << 20 / len(chunk) {
				_, _ = report.Write(chunk)
			}
			report.flush()
			if after := heap(); after > before+2<<20 {
				t.Errorf("100 MiB of output keep %d KiB", (after-before)>>10)
			}
			runtime.KeepAlive(report)
		})
	}
}

func TestAModuleFileThatNeverEndsIsNoModule(t *testing.T) {
	dir := t.TempDir()
	// A commit can hold such a link.
	if err := os.Symlink("/dev/zero", filepath.Join(dir, "go.mod")); err != nil {
		t.Fatal(err)
	}
	got := make(chan string, 1)
	go func() {
		folder, _ := NewPlaces(dir, dir).packageDir("example.com/x")
		got <- folder
	}()
	select {
	case folder := <-got:
		if folder != dir {
			t.Errorf("got %q", folder)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("go.mod is still being read")
	}
}

func TestAReportThatBecameAPipeIsNotWaitedFor(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.xml")
	if err := syscall.Mkfifo(file, 0o644); err != nil {
		t.Fatal(err)
	}
	got := make(chan error, 1)
	go func() {
		_, err := readJUnit(NewPlaces("", ""), []string{file})
		got <- err
	}()
	select {
	case err := <-got:
		if err == nil || !strings.Contains(err.Error(), "it is not a regular file") {
			t.Errorf("got %v", err)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("the report is still being read")
	}
}

func TestNamesThatNeverRepeatKeepBoundedMemory(t *testing.T) {
	for name, event := range map[string]string{
		"packages":                       `{"Action":"start","Package":"%d"}`,
		"tests of long names":            `{"Action":"run","Package":"p","Test":"%d` + strings.Repeat("x", 200<<10) + `"}`,
		"builds":                         `{"Action":"build-output","ImportPath":"%d","Output":"` + strings.Repeat("x", 4<<10) + `"}`,
		"output of tests that don't end": `{"Action":"output","Package":"p","Test":"%d","Output":"` + strings.Repeat("x", 60<<10) + `"}`,
	} {
		t.Run(name, func(t *testing.T) {
			report := newGoReport(&watch{out: io.Discard})
			before := heap()
			for i, written := 0, 0; written < 100<<20 && i < 400_000; i++ {
				n, _ := fmt.Fprintf(report, event+"\n", i)
				written += n
			}
			if after := heap(); after > before+90<<20 {
				t.Errorf("it keeps %d MiB", (after-before)>>20)
			}
			if len(report.packages) > mostPackages || len(report.builds) > mostPackages {
				t.Errorf("it tells %d packages and %d builds apart", len(report.packages), len(report.builds))
			}
			if name == "packages" && !report.tooMany {
				t.Error("it does not say that there are too many")
			}
		})
	}
}

func TestLongNamesAreToldApart(t *testing.T) {
	long := strings.Repeat("x", 2<<10)
	out := NewOutput(io.Discard)
	for _, event := range []string{
		`{"Action":"run","Package":"p","Test":"` + long + `a"}`, `{"Action":"fail","Package":"p","Test":"` + long + `a"}`,
		`{"Action":"run","Package":"p","Test":"` + long + `b"}`, `{"Action":"pass","Package":"p","Test":"` + long + `b"}`,
	} {
		_, _ = io.WriteString(out.Stdout(), event+"\n")
	}
	found, err := out.Results(NewPlaces("", ""), nil, 1)
	if err != nil || found.Count(Failed) != 1 || found.Count(Passed) != 1 {
		t.Errorf("got %s, %v", found.Counts(), err)
	}
}

func TestHostileTextsOfTestsStayText(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.go"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for name, text := range hostile.Texts {
		t.Run(name, func(t *testing.T) {
			out := NewOutput(io.Discard)
			for _, action := range []string{"run", "output", "fail"} {
				event, err := json.Marshal(map[string]any{"Action": action, "Package": text + "p", "Test": text + "t", "Output": text})
				if err != nil {
					t.Fatal(err)
				}
				_, _ = out.Stdout().Write(append(event, '\n'))
			}
			out.End()
			var escaped bytes.Buffer
			if err := xml.EscapeText(&escaped, []byte(text)); err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(t.TempDir(), "a.xml")
			report := strings.ReplaceAll("<testsuite name='%'><testcase name='%' classname='%' file='%' line='1'><failure message='%'>%</failure></testcase></testsuite>", "%", escaped.String())
			if err := os.WriteFile(file, []byte(report), 0o644); err != nil {
				t.Fatal(err)
			}
			found, err := out.Results(NewPlaces(dir, dir), []string{file}, 1)
			// A line as long as no event is passed on as it is.
			if err != nil || found.Count(Failed) != 2 && len(text) < longestLine/4 {
				t.Fatalf("got %s, %v", found.Counts(), err)
			}
			for _, each := range found.Failures() {
				if each.File != "" && each.File != "main.go" {
					t.Errorf("a failure is at %q", each.File)
				}
			}
			// The page is Details and nothing else; the bounds of a fold are ours alone.
			page := found.Markdown()
			if got := strings.Count(page, "<details>"); got > 2 || got != strings.Count(page, "\n</details>\n") {
				t.Errorf("the page has %d folds:\n%.2000s", got, page)
			}
		})
	}
}

func TestATagOfManyAttributesIsRefused(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := readText(t, "<testsuite"+strings.Repeat(" a='>'", 4<<20)+"/>")
	runtime.ReadMemStats(&after)
	if err == nil || !strings.Contains(err.Error(), "a tag has more than 4 MiB") {
		t.Errorf("got %v", err)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 512<<20 {
		t.Errorf("it took %d MiB", used>>20)
	}
	long := strings.Repeat("<a b=\"'\" ", 1<<20)
	got, err := readText(t, "<?xml version='1.0'?><!DOCTYPE x><!-- "+long+" --><testsuite><testcase name='a>b'><failure message='\"'><![CDATA["+long+"]]></failure><system-out><![CDATA["+long+"]]></system-out></testcase></testsuite>")
	if err != nil || got.Count(Failed) != 1 || got.Tests[0].Name != "a>b" {
		t.Errorf("text that looks like tags: got %s, %v", got.Counts(), err)
	}
}
