package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// rounds are three outcomes of each; promote's are given.
func rounds(last ...float64) []outcome {
	var all []outcome
	for i, l := range last {
		all = append(all,
			outcome{Contender: "promote", Round: i, Last: l, Failed: int(10 * l)},
			outcome{Contender: "Argo Rollouts", Round: i, Last: 10, Failed: 100},
			outcome{Contender: "Flagger", Round: i, Last: 20, Failed: 200, Refused: 3})
	}
	return all
}

func TestGoalsAreJudgedByMediansAndByTheWorst(t *testing.T) {
	for name, c := range map[string]struct {
		killed bool
		last   []float64
		missed int
	}{
		"all are met":                                    {last: []float64{1, 5, 9}},
		"the medians are too high":                       {last: []float64{1, 5.2, 9}, missed: 2},
		"killed, all are met":                            {killed: true, last: []float64{1, 5, 19}},
		"killed, one round is later than was promised":   {killed: true, last: []float64{1, 5, 21}, missed: 1},
		"killed, the medians and the promise are missed": {killed: true, last: []float64{1, 30, 31}, missed: 3},
	} {
		t.Run(name, func(t *testing.T) {
			missed := 0
			for _, g := range (block{scenario{Killed: c.killed}, rounds(c.last...)}).goals() {
				if !g.met {
					missed++
				}
			}
			if missed != c.missed {
				t.Errorf("%d goals are missed, want %d", missed, c.missed)
			}
		})
	}
}

func TestARefusedConnectionMissesAGoal(t *testing.T) {
	all := rounds(1, 2, 3)
	all[3].Refused = 1
	goals := block{scenario{}, all}.goals()
	if goals[2].met {
		t.Errorf("%+v", goals)
	}
}

func TestTheTableHasMediansRangesAndRatios(t *testing.T) {
	table := table{runs: 3}
	text := table.add(scenarios[0], rounds(2, 1, 3))
	for _, want := range []string{"2.0 (1.0-3.0)", " 20.0 ", " 0.20\n", "at most 0.50 of Argo's: 0.20: met", "no connection refused in any round: met"} {
		if !strings.Contains(text, want) {
			t.Errorf("the table lacks %q:\n%s", want, text)
		}
	}
}

func TestEveryOutcomeIsSaved(t *testing.T) {
	table, path := table{runs: 3}, filepath.Join(t.TempDir(), "outcomes.json")
	table.add(scenarios[0], rounds(2, 1, 3))
	if err := table.save(path); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var got []outcome
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(rounds(2, 1, 3), got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
