package main

import (
	"fmt"
	"strings"
	"time"

	generator "github.com/org/promote/lab/load"
)

// outcome is how one round went.
type outcome struct {
	Scenario  string `json:"scenario"`
	Contender string `json:"contender"`
	Round     int    `json:"round"`
	// Phase is how long after the candidate began to be judged the fault came, in seconds beyond [lead].
	Phase float64 `json:"phase"`
	// Share is the candidate's part of the answers in the seconds before the fault.
	Share float64 `json:"share"`
	// Last is the seconds from the fault to the last request that a candidate's pod answered.
	Last float64 `json:"last"`
	// Failed are all requests that failed after the fault; Requests were sent until none failed and none met the candidate any more.
	Failed   int `json:"failed"`
	Requests int `json:"requests"`
	// Refused and Broken had no whole answer, in the whole round: the service refused the connection, or lost it.
	Refused int `json:"refused"`
	Broken  int `json:"broken"`
}

func (o outcome) String() string {
	return fmt.Sprintf("last request on a candidate's pod after %.1f s, %d of %d requests failed, %d connections refused, %d broken; it had %.0f %% before",
		o.Last, o.Failed, o.Requests, o.Refused, o.Broken, 100*o.Share)
}

// before is how long the candidate's share is measured.
const before = lead

// evaluate counts what clients met; records are in the order of their times.
func evaluate(records []generator.Record, candidate string, fault time.Time) outcome {
	var o outcome
	last, sent := fault, 0
	for _, r := range records {
		switch {
		case r.Error == "":
		case strings.Contains(r.Error, "connection refused"):
			o.Refused++
		default:
			o.Broken++
		}
		if r.Time.Before(fault) {
			continue
		}
		sent++
		if r.Version == candidate {
			last, o.Requests = r.Time, sent
		}
		if r.Failed() {
			o.Failed++
			o.Requests = sent
		}
	}
	o.Last = last.Sub(fault).Seconds()
	answered := generator.Between(records, fault.Add(-before), fault)
	for _, r := range answered {
		if r.Version == candidate {
			o.Share += 1 / float64(len(answered))
		}
	}
	return o
}
