package main

import (
	"strings"
	"testing"
	"time"
)

func TestMemoryIsThePeakThatTheKernelRecords(t *testing.T) {
	got, err := parseMemory("Name:\tcanary\nVmPeak:\t 1300000 kB\nVmHWM:\t   80000 kB\nVmRSS:\t   70000 kB\nRssAnon:\t   30000 kB\nRssFile:\t   40000 kB\n")
	if want := (memory{all: 80000 * 1024, own: 30000 * 1024}); err != nil || got != want {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	if _, err := parseMemory("Name:\tcanary\nState:\tZ (zombie)\n"); err == nil {
		t.Error("a process that has ended has memory")
	}
}

func TestACounterIsAddedUpOverItsLabels(t *testing.T) {
	text := []byte("# HELP apiserver_request_total x\napiserver_request_total{code=\"200\",verb=\"GET\"} 10\napiserver_request_total{code=\"429\"} 2.5e+01\napiserver_request_total_other 7\nplain 3\n")
	if got := sum(text, "apiserver_request_total"); got != 35 {
		t.Errorf("got %v, want 35", got)
	}
	if got := sum(text, "plain"); got != 3 {
		t.Errorf("got %v, want 3", got)
	}
}

func TestAnOutputIsReadFromItsFile(t *testing.T) {
	text := "result<<x1\npromoted\nx1\nrelease<<x2\nabc-1\nx2\n"
	if got := output(text, "release"); got != "abc-1" {
		t.Errorf("got %q", got)
	}
	if got := output(text, "url"); got != "" {
		t.Errorf("got %q", got)
	}
}

func TestTheTableHasTheRequestsOfOneCanaryAndSaysWhetherTheGoalIsMet(t *testing.T) {
	counted := newTally()
	for range 300 {
		counted.request(call{"update", "leases"})
	}
	counted.answer(call{}, 429)
	m := measured{part: part{name: "many", canaries: 2, pods: 20}, took: 4 * time.Minute, tally: counted, outcomes: []outcome{
		{result: promoted, took: 2 * time.Minute, memory: memory{all: 60e6, own: 20e6}}, {result: promoted, took: 4 * time.Minute, memory: memory{all: 81e6, own: 30e6}},
	}}
	// How wide the columns are says nothing.
	got := strings.Join(strings.Fields(table([]measured{m})), " ")
	for _, want := range []string{"pods 2 × 20 ended promoted 2", "slowest 240 s, 240 s", "largest 81.0 MB, 81.0 MB", "goal: below 80.0 MB MISSED", "in a minute of it 50.0", "none 1, 0, 0", "leases, update 150.0, 50.0"} {
		if !strings.Contains(got, want) {
			t.Errorf("the table does not hold %q:\n%s", want, got)
		}
	}
	if err := m.complaint(); err != nil {
		t.Errorf("all were promoted, and it complains: %v", err)
	}
	m.outcomes[0].result = "rolled-back"
	if err := m.complaint(); err == nil || !strings.Contains(err.Error(), `1 of 2 canaries were not promoted; the first of them ended with "rolled-back"`) {
		t.Errorf("got %v", err)
	}
}
