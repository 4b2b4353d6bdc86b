package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestChangeReplacesOneLine(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "main.go")
	const before = "package main\n\nfunc main() {}\n"
	if err := os.WriteFile(path, []byte(before), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"one", "two"} {
		if err := change(dir, text); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		rest, found := strings.CutPrefix(string(data), before)
		if !found || strings.Count(rest, "\n") != 1 || !strings.Contains(rest, text) {
			t.Errorf("the file is %q", data)
		}
	}
}

func TestTableGivesRatiosOfMedians(t *testing.T) {
	seconds := func(all ...int) (durations []time.Duration) {
		for _, s := range all {
			durations = append(durations, time.Duration(s)*time.Second)
		}
		return durations
	}
	got := table([]*contender{
		{name: "ko", unchanged: seconds(1, 4, 9), changed: seconds(8, 8, 8)},
		{name: "other", unchanged: seconds(90, 1, 2), changed: seconds(4, 4, 4), differs: "a, then b"},
	})
	for _, want := range []string{"2.000s       0.50     4.000s       0.50", "DIFFERENT DIGESTS: a, then b"} {
		if !strings.Contains(got, want) {
			t.Errorf("the table does not hold %q:\n%s", want, got)
		}
	}
}
