package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// goalMemory is what a process may need at most, in bytes.
const goalMemory = 80e6

// report is what a part says in numbers, as it is printed and as it is written as JSON.
type report struct {
	Part     string `json:"part"`
	Canaries int    `json:"canaries"`
	Pods     int    `json:"pods"`
	Watchdog bool   `json:"watchdog"`
	Promoted int    `json:"promoted"`
	// Seconds is from the first start to the last end; Median and Slowest are of one canary.
	Seconds float64 `json:"seconds"`
	Median  float64 `json:"medianSeconds"`
	Slowest float64 `json:"slowestSeconds"`
	// Memory is the peak of one process in bytes: median and largest; Own leaves the program's file out.
	Memory    int64 `json:"memoryMedian"`
	MemoryMax int64 `json:"memoryMax"`
	OwnMax    int64 `json:"memoryOwnMax"`
	MemoryMet bool  `json:"memoryGoalMet"`
	// Requests are of one canary, on average; PerMinute while it ran; Busiest of all canaries together in one second.
	Requests  float64     `json:"requests"`
	PerMinute float64     `json:"requestsPerMinute"`
	Bytes     float64     `json:"bytes"`
	Busiest   int         `json:"busiestSecond"`
	Statuses  map[int]int `json:"statuses"`
	Calls     []callsOf   `json:"calls"`
	Server    served      `json:"server"`
}

// callsOf are the requests of a kind, by one canary.
type callsOf struct {
	call
	Requests  float64 `json:"requests"`
	PerMinute float64 `json:"requestsPerMinute"`
}

// newReport sums a measurement up.
func newReport(m measured) report {
	n, minutes := float64(m.canaries), 0.0
	r := report{Part: m.name, Canaries: m.canaries, Pods: m.pods, Watchdog: m.guarded, Seconds: m.took.Seconds(), Server: m.server}
	var times []time.Duration
	var memories []int64
	for _, o := range m.outcomes {
		minutes += o.took.Minutes()
		times, memories = append(times, o.took), append(memories, o.memory.all)
		r.OwnMax = max(r.OwnMax, o.memory.own)
		if o.result == promoted {
			r.Promoted++
		}
	}
	slices.Sort(times)
	slices.Sort(memories)
	r.Median, r.Slowest = times[len(times)/2].Seconds(), times[len(times)-1].Seconds()
	r.Memory, r.MemoryMax = memories[len(memories)/2], memories[len(memories)-1]
	r.MemoryMet = r.MemoryMax < goalMemory
	r.Busiest, r.Bytes, r.Statuses = m.tally.busiest(), float64(m.tally.bytes.Load())/n, m.tally.statuses
	for c, count := range m.tally.calls {
		r.Requests += float64(count) / n
		r.Calls = append(r.Calls, callsOf{c, float64(count) / n, float64(count) / minutes})
	}
	r.PerMinute = r.Requests * n / minutes
	slices.SortFunc(r.Calls, func(a, b callsOf) int {
		return cmp.Or(cmp.Compare(b.Requests, a.Requests), cmp.Compare(a.Resource, b.Resource), cmp.Compare(a.Verb, b.Verb))
	})
	return r
}

// table prints a column for each part: first what it all cost, then the requests of one canary by verb and resource.
func table(all []measured) string {
	var reports []report
	for _, m := range all {
		reports = append(reports, newReport(m))
	}
	var b strings.Builder
	line := func(what string, value func(report) string) {
		fmt.Fprintf(&b, "%-38s", what)
		for _, r := range reports {
			fmt.Fprintf(&b, " %20s", value(r))
		}
		b.WriteString("\n")
	}
	line("", func(r report) string { return r.Part })
	line("canaries at once × pods", func(r report) string { return fmt.Sprintf("%d × %d", r.Canaries, r.Pods) })
	line("ended promoted", func(r report) string { return fmt.Sprint(r.Promoted) })
	line("took: all", func(r report) string { return fmt.Sprintf("%.0f s", r.Seconds) })
	line("  one: median, slowest", func(r report) string { return fmt.Sprintf("%.0f s, %.0f s", r.Median, r.Slowest) })
	line("peak memory of one: median, largest", func(r report) string { return megabytes(r.Memory) + ", " + megabytes(r.MemoryMax) })
	line("  without the program's file, largest", func(r report) string { return megabytes(r.OwnMax) })
	line("  goal: below "+megabytes(goalMemory), func(r report) string { return verdict(r.MemoryMet) })
	line("API requests of one canary", func(r report) string { return fmt.Sprintf("%.0f", r.Requests) })
	line("  in a minute of it", func(r report) string { return fmt.Sprintf("%.1f", r.PerMinute) })
	line("  bytes of their bodies", func(r report) string { return fmt.Sprintf("%.0f kB", r.Bytes/1000) })
	line("busiest second of all together", func(r report) string { return fmt.Sprint(r.Busiest) })
	line("answers of 429, 5xx, none", func(r report) string { return fmt.Sprintf("%d, %d, %d", r.Statuses[429], r.failures(), r.Statuses[0]) })
	line("the API server's answers to everybody", func(r report) string { return fmt.Sprintf("%.0f", r.Server.Requests) })
	line("  refused by its queues", func(r report) string { return fmt.Sprintf("%.0f", r.Server.Rejected) })
	b.WriteString("\nrequests of one canary, and in a minute of it\n")
	for _, c := range callsIn(reports) {
		line(c.Resource+", "+c.Verb, func(r report) string {
			for _, mine := range r.Calls {
				if mine.call == c {
					return fmt.Sprintf("%.1f, %.1f", mine.Requests, mine.PerMinute)
				}
			}
			return "-"
		})
	}
	return b.String()
}

// callsIn are all kinds of requests, those of which there are most in the last report first.
func callsIn(reports []report) []call {
	var all []call
	for _, r := range slices.Backward(reports) {
		for _, c := range r.Calls {
			if !slices.Contains(all, c.call) {
				all = append(all, c.call)
			}
		}
	}
	return all
}

// failures are the answers of the server's own trouble.
func (r report) failures() int {
	n := 0
	for status, count := range r.Statuses {
		if status >= 500 {
			n += count
		}
	}
	return n
}

func megabytes(bytes int64) string { return fmt.Sprintf("%.1f MB", float64(bytes)/1e6) }

func verdict(met bool) string {
	if met {
		return "met"
	}
	return "MISSED"
}

func writeJSON(path string, all []measured) error {
	var reports []report
	for _, m := range all {
		reports = append(reports, newReport(m))
	}
	data, err := json.MarshalIndent(reports, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, append(data, '\n'), 0o644); err != nil {
		return fmt.Errorf("writing the numbers: %w", err)
	}
	return nil
}
