package load

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// Count is a number of requests and how many of them failed.
type Count struct{ Requests, Failures int }

func (c *Count) add(r Record) {
	c.Requests++
	if r.Failed() {
		c.Failures++
	}
}

// Version is what one version of the service answered.
type Version struct {
	Name string // "" for requests without an answer, and answers without X-Version
	Count
	Share float64 // of the requests that some version answered, 0 to 1; 0 for ""
}

// Second is one second of a run, for charts.
type Second struct {
	Time time.Time // the second's begin
	Count
	Versions map[string]int // requests each version answered
}

// Share is the part of the second's answers that a version gave, 0 to 1; NaN if no version gave any.
func (s Second) Share(version string) float64 {
	answered := 0
	for name, n := range s.Versions {
		if name != "" {
			answered += n
		}
	}
	if answered == 0 {
		return math.NaN()
	}
	return float64(s.Versions[version]) / float64(answered)
}

// Summary is what a load came to.
type Summary struct {
	Count
	From, To                  time.Time // when the first and the last request were sent
	Versions                  []Version // in order of their first answer
	Kept, Fresh               Count     // on kept and on new connections
	FirstFailure, LastFailure time.Time // zero without failures
	P50, P99                  time.Duration
	Causes                    map[string]int // failures by status or error
	Seconds                   []Second       // without gaps
}

// Summarize sums up records that are in the order of their times.
func Summarize(records []Record) Summary {
	s := Summary{Causes: make(map[string]int)}
	var latencies []float64
	versions := make(map[string]*Version)
	for _, r := range records {
		s.add(r)
		if versions[r.Version] == nil {
			versions[r.Version] = &Version{Name: r.Version}
			s.Versions = append(s.Versions, Version{Name: r.Version}) // filled below; here for the order
		}
		versions[r.Version].add(r)
		if r.KeepAlive {
			s.Kept.add(r)
		} else {
			s.Fresh.add(r)
		}
		if r.Status != 0 {
			latencies = append(latencies, r.LatencyMS)
		}
		if r.Failed() {
			s.failed(r)
		}
		s.second(r)
	}
	answered := s.Requests
	if none := versions[""]; none != nil {
		answered -= none.Requests
	}
	for i := range s.Versions {
		v := versions[s.Versions[i].Name]
		if v.Name != "" {
			v.Share = float64(v.Requests) / float64(answered)
		}
		s.Versions[i] = *v
	}
	if len(records) > 0 {
		s.From, s.To = records[0].Time, records[len(records)-1].Time
	}
	slices.Sort(latencies)
	s.P50, s.P99 = percentile(latencies, 50), percentile(latencies, 99)
	return s
}

func (s *Summary) failed(r Record) {
	if s.FirstFailure.IsZero() {
		s.FirstFailure = r.Time
	}
	s.LastFailure = r.Time
	s.Causes[cmp.Or(r.Error, fmt.Sprintf("status %d", r.Status))]++
}

// second adds the record to its second, with empty seconds before it where nothing was sent.
func (s *Summary) second(r Record) {
	at := r.Time.Truncate(time.Second)
	for len(s.Seconds) == 0 || s.Seconds[len(s.Seconds)-1].Time.Before(at) {
		next := at
		if len(s.Seconds) > 0 {
			next = s.Seconds[len(s.Seconds)-1].Time.Add(time.Second)
		}
		s.Seconds = append(s.Seconds, Second{Time: next, Versions: make(map[string]int)})
	}
	last := &s.Seconds[len(s.Seconds)-1]
	last.add(r)
	last.Versions[r.Version]++
}

// percentile is the smallest latency that p percent of the sorted ones do not exceed.
func percentile(sorted []float64, p int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	rank := (len(sorted)*p + 99) / 100
	return time.Duration(sorted[rank-1] * float64(time.Millisecond))
}

// String prints the summary as a short table.
func (s Summary) String() string {
	var out strings.Builder
	table := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "requests\t%d\tin %s\n", s.Requests, s.To.Sub(s.From).Round(time.Second))
	fmt.Fprintf(table, "failed\t%d\t%s\n", s.Failures, s.when())
	fmt.Fprintf(table, "latency\tp50 %s\tp99 %s\n", s.P50, s.P99)
	fmt.Fprintf(table, "connections\t%d kept, %d failed\t%d new, %d failed\n", s.Kept.Requests, s.Kept.Failures, s.Fresh.Requests, s.Fresh.Failures)
	for _, v := range s.Versions {
		fmt.Fprintf(table, "version %s\t%d, %d failed\t%.1f %%\n", cmp.Or(v.Name, "(none)"), v.Requests, v.Failures, 100*v.Share)
	}
	for _, cause := range slices.Sorted(maps.Keys(s.Causes)) {
		fmt.Fprintf(table, "cause\t%d\t%s\n", s.Causes[cause], cause)
	}
	_ = table.Flush() // Memory takes every write.
	return out.String()
}

func (s Summary) when() string {
	if s.Failures == 0 {
		return ""
	}
	const clock = "15:04:05.000"
	return s.FirstFailure.Format(clock) + " to " + s.LastFailure.Format(clock)
}
