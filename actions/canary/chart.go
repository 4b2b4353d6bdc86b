package main

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/org/promote/pkg/rollout"
	"github.com/org/promote/pkg/verdict"
)

// chartPoints is how many points a line has at most; Mermaid's chart is a few hundred pixels wide.
const chartPoints = 40

// chart draws the candidate's share of the pods and the rate of each ratio check over time, in percent, as Mermaid. The rates
// are those within the step, so they begin anew with each.
func chart(r rollout.Result) string {
	if len(r.Samples) < 2 {
		return ""
	}
	samples := thin(r.Samples)
	start, end := samples[0].At, samples[len(samples)-1].At
	share := make([]string, len(samples))
	for i, s := range samples {
		share[i] = percent(round(s.Achieved))
	}
	legend := []string{"the candidate's share of the pods"}
	lines := []string{"  line [" + strings.Join(share, ", ") + "]"}
	for _, name := range ratios(r.Samples) {
		var rates []string
		for _, s := range samples {
			rates = append(rates, percent(round(100*rateOf(s, name))))
		}
		legend = append(legend, "bad requests of check '"+name+"'")
		lines = append(lines, "  line ["+strings.Join(rates, ", ")+"]")
	}
	// Names come from a file of the commit; what would end the text, or mean something to Mermaid or HTML, is taken out.
	title := strings.Map(plainly, strings.Join(legend, "; "))
	return fmt.Sprintf("```mermaid\nxychart-beta\n  title \"%s\"\n  x-axis \"seconds\" 0 --> %d\n  y-axis \"percent\" 0 --> 100\n%s\n```\n",
		title, max(1, int(end.Sub(start)/time.Second)), strings.Join(lines, "\n"))
}

// plainly replaces a character that could end a text in quotes, begin markup or an entity of Mermaid's (#…;), or is not seen.
func plainly(r rune) rune {
	switch {
	case strings.ContainsRune("\"`<>&\\#%", r):
		return '\''
	case !unicode.IsPrint(r):
		return ' '
	}
	return r
}

// thin takes samples at even times, the first and the last among them.
func thin(samples []rollout.Sample) []rollout.Sample {
	n := min(len(samples), chartPoints)
	start, span := samples[0].At, samples[len(samples)-1].At.Sub(samples[0].At)
	out := make([]rollout.Sample, 0, n)
	next := 0
	for i := range n {
		at := start.Add(time.Duration(float64(span) * float64(i) / float64(n-1)))
		for next+1 < len(samples) && !samples[next+1].At.After(at) {
			next++
		}
		out = append(out, samples[next])
	}
	out[n-1] = samples[len(samples)-1]
	return out
}

// ratios names the ratio checks that gave numbers, in the order of the checks.
func ratios(samples []rollout.Sample) []string {
	var names []string
	seen := map[string]bool{}
	for _, s := range samples {
		for _, r := range s.Results {
			if r.Candidate != nil && !seen[r.Check] {
				seen[r.Check] = true
				names = append(names, r.Check)
			}
		}
	}
	return names
}

func rateOf(s rollout.Sample, check string) float64 {
	for _, r := range s.Results {
		if r.Check == check && r.Candidate != nil {
			return min(1, verdict.Counts.Rate(*r.Candidate))
		}
	}
	return 0
}
