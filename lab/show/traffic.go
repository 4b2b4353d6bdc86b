package show

import (
	"fmt"
	"strings"
	"time"

	"github.com/org/promote/lab/load"
)

// The heights of a chart of requests, and the least height of failures: one in fifty requests must be seen.
const (
	chartTop    = 14.0
	chartBottom = 134.0
	chartHeight = 158.0
	leastFailed = 3.0
)

// chart is requests per second by version, one version on another, with the failed ones on top.
type chart struct {
	ID, Title, Empty string
	Requests, Failed string
	X, Y             []tick
	Areas            []area
	Moves            []line
	Legend           []key
}

type area struct{ Class, Path, Tip string }

type line struct {
	X          coord
	Class, Tip string
}

type key struct{ Class, Text string }

// newChart draws an environment's requests within a stretch of time.
func newChart(s Show, v versions, env, id, title string, within span) chart {
	c := chart{ID: id, Title: title, X: within.ticks(s.Began)}
	records := load.Between(s.Clients[env], within.from, within.to)
	if len(records) == 0 {
		c.Empty = "no client was let in"
		return c
	}
	t := tally(records, v, within)
	top := roundUp(t.most())
	y := func(n int) float64 { return chartBottom - float64(n)/float64(top)*(chartBottom-chartTop) }
	c.Y = []tick{{coord(y(0)), "0"}, {coord(y(top / 2)), fmt.Sprint(top / 2)}, {coord(y(top)), fmt.Sprint(top)}}
	stack := make([]int, t.seconds)
	for i, name := range t.names {
		text := v.text(name)
		c.Areas = append(c.Areas, area{v.class(name), steps(within, stack, t.good[i], y, 0), text})
		if n := sum(t.good[i]) + t.bad[name]; n > 0 {
			c.Legend = append(c.Legend, key{v.class(name), fmt.Sprintf("%s: %s answers, %s failed", text, thousands(n), thousands(t.bad[name]))})
		}
		for j, n := range t.good[i] {
			stack[j] += n
		}
	}
	failed := sum(t.failed)
	if failed > 0 {
		c.Areas = append(c.Areas, area{"failed", steps(within, stack, t.failed, y, leastFailed), "failed requests"})
		c.Legend = append(c.Legend, key{"failed", "failed requests"})
	}
	c.Requests, c.Failed = thousands(len(records)), thousands(failed)
	for _, m := range s.Moves {
		if m.Environment == env && !m.Time.Before(within.from) && m.Time.Before(within.to) {
			c.Moves = append(c.Moves, line{coord(within.x(m.Time)), v.class(v.of(m.To)), moved(s, m)})
		}
	}
	return c
}

// moved says where traffic went, and when.
func moved(s Show, m Move) string {
	return fmt.Sprintf("%s: traffic of %s goes to %s", since(m.Time.Sub(s.Began)), m.Environment, plain(m.To))
}

// tallied are requests by second: good ones by version, failed ones together.
type tallied struct {
	seconds int
	names   []string
	good    [][]int
	failed  []int
	bad     map[string]int
}

func tally(records []load.Record, v versions, within span) tallied {
	t := tallied{seconds: int(within.to.Sub(within.from)/time.Second) + 1, names: append([]string{""}, v.names...), bad: map[string]int{}}
	t.failed = make([]int, t.seconds)
	index := map[string]int{}
	for i, name := range t.names {
		index[name] = i
		t.good = append(t.good, make([]int, t.seconds))
	}
	for _, r := range records {
		at := int(r.Time.Sub(within.from) / time.Second)
		if r.Failed() {
			t.failed[at]++
			t.bad[r.Version]++
		} else {
			t.good[index[r.Version]][at]++
		}
	}
	return t
}

// most is the largest number of requests in one second.
func (t tallied) most() int {
	largest := 1
	for i := range t.seconds {
		n := t.failed[i]
		for _, good := range t.good {
			n += good[i]
		}
		largest = max(largest, n)
	}
	return largest
}

func sum(all []int) int {
	n := 0
	for _, one := range all {
		n += one
	}
	return n
}

// steps outlines what stands on a stack, second by second; seconds without any leave a gap.
func steps(within span, stack, values []int, y func(int) float64, least float64) string {
	var b strings.Builder
	edge := func(i int) coord { return coord(within.x(within.from.Add(time.Duration(i) * time.Second))) }
	for i := 0; i < len(values); {
		if values[i] == 0 {
			i++
			continue
		}
		end := i
		for end < len(values) && values[end] > 0 {
			end++
		}
		fmt.Fprintf(&b, "M%s %s", edge(i), coord(y(stack[i])))
		for j := i; j < end; j++ {
			top := min(y(stack[j]+values[j]), y(stack[j])-least)
			fmt.Fprintf(&b, "V%sH%s", coord(top), edge(j+1))
		}
		for j := end - 1; j >= i; j-- {
			fmt.Fprintf(&b, "V%sH%s", coord(y(stack[j])), edge(j))
		}
		b.WriteString("Z")
		i = end
	}
	return b.String()
}
