package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/org/promote/pkg/cluster"
)

// names are the contenders, in the order of the columns.
var names = []string{"promote", "Argo Rollouts", "Flagger"}

// mostOfArgo is the goal for promote's medians, as a share of Argo's in the same run; reaction is what its watchdog may take once the
// lock of a dead run has lapsed.
const (
	mostOfArgo = 0.5
	reaction   = 5
)

// table is what is printed, a block for each scenario.
type table struct {
	runs   int
	blocks []block
}

type block struct {
	scenario scenario
	outcomes []outcome
}

// add gives the block's text: medians with their ranges, and then the goals.
func (t *table) add(s scenario, outcomes []outcome) string {
	added := block{s, outcomes}
	t.blocks = append(t.blocks, added)
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s. Median of %d rounds (least to most).\n\n", s.Name, s.Title, t.runs)
	added.write(&b)
	for _, g := range added.goals() {
		verdict := "met"
		if !g.met {
			verdict = "MISSED"
		}
		fmt.Fprintf(&b, "%s: %s\n", g.text, verdict)
	}
	b.WriteByte('\n')
	return b.String()
}

// quantity is a row: something that was counted or timed in every round.
type quantity struct {
	name, format string
	of           func(outcome) float64
	// bad says that less is better, so that there is a ratio.
	bad bool
}

var quantities = []quantity{
	{"last request on a candidate's pod, s after the fault", "%.1f", func(o outcome) float64 { return o.Last }, true},
	{"failed requests after the fault", "%.0f", func(o outcome) float64 { return float64(o.Failed) }, true},
	{"of so many sent until the last of both", "%.0f", func(o outcome) float64 { return float64(o.Requests) }, false},
	{"connections refused, whole round", "%.0f", func(o outcome) float64 { return float64(o.Refused) }, false},
	{"connections broken, whole round", "%.0f", func(o outcome) float64 { return float64(o.Broken) }, false},
	{"candidate's share before the fault, %", "%.0f", func(o outcome) float64 { return 100 * o.Share }, false},
}

// of gives a quantity of a contender's rounds, sorted.
func (b block) of(contender string, q quantity) []float64 {
	var values []float64
	for _, o := range b.outcomes {
		if o.Contender == contender {
			values = append(values, q.of(o))
		}
	}
	slices.Sort(values)
	return values
}

func (b block) write(to *strings.Builder) {
	fmt.Fprintf(to, "%-54s", "")
	for _, name := range names {
		fmt.Fprintf(to, " %20s", name)
	}
	fmt.Fprintf(to, " %8s\n", "of Argo")
	for _, q := range quantities {
		fmt.Fprintf(to, "%-54s", q.name)
		for _, name := range names {
			fmt.Fprintf(to, " %20s", spread(b.of(name, q), q.format))
		}
		if q.bad {
			fmt.Fprintf(to, " %8.2f", ratio(median(b.of(names[0], q)), median(b.of(names[1], q))))
		}
		to.WriteByte('\n')
	}
}

// spread is a median with its range, which is left out where there is none.
func spread(sorted []float64, format string) string {
	if len(sorted) == 0 {
		return "-"
	}
	least, most := sorted[0], sorted[len(sorted)-1]
	if least == most {
		return fmt.Sprintf(format, least)
	}
	return fmt.Sprintf(format+" ("+format+"-"+format+")", median(sorted), least, most)
}

// median of sorted values; of two in the middle, what lies between.
func median(sorted []float64) float64 {
	n := len(sorted)
	if n == 0 {
		return 0
	}
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

func ratio(v, of float64) float64 {
	if of == 0 {
		return 1
	}
	return v / of
}

// goal is a bound on promote.
type goal struct {
	text string
	met  bool
}

func (b block) goals() []goal {
	var goals []goal
	for _, q := range quantities[:2] {
		of := ratio(median(b.of(names[0], q)), median(b.of(names[1], q)))
		goals = append(goals, goal{fmt.Sprintf("%s: at most %.2f of Argo's: %.2f", q.name, mostOfArgo, of), of <= mostOfArgo})
	}
	refused := b.of(names[0], quantities[3])
	goals = append(goals, goal{"no connection refused in any round", len(refused) > 0 && refused[len(refused)-1] == 0})
	if b.scenario.Killed {
		last, within := b.of(names[0], quantities[0]), cluster.LockTime.Seconds()+reaction
		most := last[len(last)-1]
		goals = append(goals, goal{fmt.Sprintf("safe within the lock's time and %d s, %.0f s, in every round: %.1f s", reaction, within, most), most <= within})
	}
	return goals
}

// save writes every outcome.
func (t *table) save(path string) error {
	var all []outcome
	for _, b := range t.blocks {
		all = append(all, b.outcomes...)
	}
	data, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(data, '\n'), 0o644)
}
