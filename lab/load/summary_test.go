package load

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func at(ms int, version string, status int) Record {
	return Record{Time: noon.Add(time.Duration(ms) * time.Millisecond), Version: version, Status: status, LatencyMS: float64(ms)}
}

// canary is a run in which v2 takes over from v1 with two errors, and one request is lost.
func canary() []Record {
	lost := Record{Time: noon.Add(3100 * time.Millisecond), Error: "EOF", KeepAlive: true}
	return []Record{
		at(0, "v1", 200), at(500, "v1", 200), at(900, "v2", 500), // second 0
		at(1000, "v1", 200),                            // second 1, nothing in second 2
		lost, at(3200, "v2", 500), at(3300, "v2", 201), // second 3
	}
}

func TestSummarizeCountsByVersion(t *testing.T) {
	got := Summarize(canary())
	want := Summary{
		Count: Count{7, 3},
		From:  noon, To: noon.Add(3300 * time.Millisecond),
		Versions: []Version{
			{Name: "v1", Count: Count{3, 0}, Share: 0.5},
			{Name: "v2", Count: Count{3, 2}, Share: 0.5},
			{Name: "", Count: Count{1, 1}},
		},
		Kept: Count{1, 1}, Fresh: Count{6, 2},
		FirstFailure: noon.Add(900 * time.Millisecond), LastFailure: noon.Add(3200 * time.Millisecond),
		P50: 900 * time.Millisecond, P99: 3300 * time.Millisecond,
		Causes: map[string]int{"EOF": 1, "status 500": 2},
		Seconds: []Second{
			{noon, Count{3, 1}, map[string]int{"v1": 2, "v2": 1}},
			{noon.Add(1 * time.Second), Count{1, 0}, map[string]int{"v1": 1}},
			{noon.Add(2 * time.Second), Count{}, map[string]int{}},
			{noon.Add(3 * time.Second), Count{3, 2}, map[string]int{"": 1, "v2": 2}},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("summary (-want +got):\n%s", diff)
	}
}

func TestShareOfASecondLeavesOutWhatNobodyAnswered(t *testing.T) {
	seconds := Summarize(canary()).Seconds
	if got := seconds[3].Share("v2"); got != 1 {
		t.Errorf("share of v2 in second 3 is %v, want 1", got)
	}
	if got := seconds[2].Share("v1"); !math.IsNaN(got) {
		t.Errorf("share of v1 in an empty second is %v, want NaN: there is no share", got)
	}
}

func TestSummarizeNothing(t *testing.T) {
	got := Summarize(nil)
	if got.Requests != 0 || got.P99 != 0 || len(got.Seconds) != 0 {
		t.Errorf("summary of nothing: %+v", got)
	}
	if text := got.String(); !strings.Contains(text, "requests") {
		t.Errorf("prints as %q", text)
	}
}

func TestBetweenTakesTheBeginAndLeavesTheEnd(t *testing.T) {
	got := Between(canary(), noon.Add(500*time.Millisecond), noon.Add(time.Second))
	if len(got) != 2 || got[0].LatencyMS != 500 || got[1].LatencyMS != 900 {
		t.Errorf("got %+v, want the records at 500 and 900 ms", got)
	}
}

func TestReadLogNamesTheLineItCannotRead(t *testing.T) {
	_, err := ReadLog(strings.NewReader("{}\n{\"status\":\n"))
	if err == nil || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("ReadLog returned %v, want an error about line 2", err)
	}
}

func TestSummaryPrintsWhatAPersonAsksFirst(t *testing.T) {
	text := Summarize(canary()).String()
	for _, want := range []string{"requests", "7", "12:00:00.900 to 12:00:03.200", "version v2", "3, 2 failed", "50.0 %", "status 500"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}
