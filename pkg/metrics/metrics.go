// Package metrics asks an external monitor about baseline and candidate and hands the numbers to package verdict. A monitor
// is a [Querier]: one method, one number. There are [Prometheus], [Datadog], [NewRelic], [CloudWatch] and [Pods]. [Judge] fills placeholders into the queries of [Check]s, asks all of them at
// once, and gives one result per check.
//
// It refuses to make a number out of anything that is not exactly one: an empty answer, several series, NaN, a value older
// than the question, a partial answer. Credentials go to the monitor's host and no other, and into no error. Queries are proven before traffic moves ([Judge.Prove]): they must tell the releases
// apart and answer for the baseline.
//
//	monitor, err := metrics.NewPrometheus(metrics.PrometheusConfig{URL: "http://prometheus:9090"})
//	checks, err := metrics.ParseChecks(yaml)
//	judge := metrics.NewJudge(monitor, checks, metrics.Subject{Candidate: "1a2b3c4-d5e6f7", Baseline: "…", Namespace: "prod", Service: "checkout"}, rules)
package metrics

import (
	"context"
	"fmt"
	"time"
)

// Sample is one number and when it was true.
type Sample struct {
	Value float64
	At    time.Time
}

// Querier is a monitor. Query evaluates a query in the monitor's own language at a time and gives exactly one finite, fresh
// number. Its errors are *[UnusableError] for answers that are none, others for monitors that could not be asked.
type Querier interface {
	Query(ctx context.Context, query string, at time.Time) (Sample, error)
}

// Fault is what was wrong with an answer.
type Fault string

// The faults.
const (
	// Empty: no series matches, or none has a sample in the window.
	Empty Fault = "empty"
	// NotANumber: NaN or an infinity, as from 0/0.
	NotANumber Fault = "not a number"
	// Stale: the newest value is older than it may be.
	Stale Fault = "stale"
	// Partial: the monitor itself says that something is missing.
	Partial Fault = "partial"
	// Several: more than one series; which of them is meant is not for us to guess.
	Several Fault = "several series"
	// WrongKind: the answer is no number at all, or the query does not parse.
	WrongKind Fault = "not a single value"
	// Denied: the monitor refuses who asks.
	Denied Fault = "denied"
)

// lasting says that asking again later will not help.
func (f Fault) lasting() bool { return f == Several || f == WrongKind || f == Denied }

// UnusableError says that the monitor answered, but not with one number.
type UnusableError struct {
	Fault Fault
	// Detail is what a person needs to mend it.
	Detail string
}

func (e *UnusableError) Error() string {
	if e.Detail == "" {
		return fmt.Sprintf("the monitor's answer is %s", e.Fault)
	}
	return fmt.Sprintf("the monitor's answer is %s: %s", e.Fault, e.Detail)
}
