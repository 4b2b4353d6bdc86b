package main

import (
	"fmt"
	"math"
)

// goal is what promote wants to reach in a row.
type goal struct {
	text string
	met  bool
}

// ours is how many of the contenders are promote, first of all.
const ours = 2

// goals are those of a row: of the comparison, which has to learn the good rate from the baseline, and of the bound, which is
// told it as the peers are.
func (m measured) goals(runs int) (goals []goal) {
	bound := wald(m.scenario.bad, m.scenario.good)
	for _, r := range m.tuned[:ours] {
		fewest := true
		for _, peer := range m.tuned[ours:] {
			fewest = fewest && r.bad <= peer.bad
		}
		name := "compare"
		if len(goals) > 0 {
			name = "max"
		}
		if m.scenario.bounded {
			goals = append(goals, goal{fmt.Sprintf("%s: <= %g of the bound", name, mostOfBound), r.requests <= mostOfBound*bound})
		}
		goals = append(goals, goal{name + ": fewest bad", fewest}, goal{name + ": false <= 1 %", few(r.alarms, runs)})
	}
	return goals
}

// few says that a measured share may well be falseAlarms in truth: it is no more than three standard errors above.
func few(share float64, runs int) bool {
	return share <= falseAlarms+3*math.Sqrt(falseAlarms*(1-falseAlarms)/float64(runs))
}
