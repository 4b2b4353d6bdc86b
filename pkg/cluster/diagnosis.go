package cluster

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/org/promote/pkg/report"
)

// Diagnosis is what was found around an object that does not work: its pods, how their containers ended, what they last
// wrote, and the events. It is collected before anything is cleaned up.
type Diagnosis struct {
	// Subject is Kind/namespace/name.
	Subject string
	Pods    []PodDiagnosis
	Events  []EventDiagnosis
	// Incomplete says what could not be read.
	Incomplete []string
}

// Diagnoses gives what was found around each object that an error says has failed; several may be joined.
func Diagnoses(err error) []Diagnosis {
	var joined interface{ Unwrap() []error }
	if errors.As(err, &joined) {
		var all []Diagnosis
		for _, one := range joined.Unwrap() {
			all = append(all, Diagnoses(one)...)
		}
		return all
	}
	var failed *FailedError
	if errors.As(err, &failed) {
		return []Diagnosis{failed.Diagnosis}
	}
	return nil
}

// PodDiagnosis is one pod.
type PodDiagnosis struct {
	Name, Node, Phase, Message string
	Containers                 []ContainerDiagnosis
}

// ContainerDiagnosis is one container.
type ContainerDiagnosis struct {
	Name, Image string
	// State says in words what the container does or how it ended.
	State    string
	Restarts int
	// Log holds its last lines; Previous says that they are those of the run before.
	Log      []string
	Previous bool
}

// EventDiagnosis is one event.
type EventDiagnosis struct {
	Time                    time.Time
	Object, Reason, Message string
	Count                   int
}

// String is the diagnosis for a log.
func (d Diagnosis) String() string {
	var b strings.Builder
	for _, p := range d.Pods {
		fmt.Fprintf(&b, "%s: %s\n", p.Name, p.state())
		for _, c := range p.Containers {
			fmt.Fprintf(&b, "  container %s: %s\n", c.Name, c.State)
			for _, line := range c.Log {
				fmt.Fprintf(&b, "    | %s\n", line)
			}
		}
	}
	for _, e := range d.Events {
		fmt.Fprintf(&b, "event %s %s %s (%d times): %s\n", e.Time.UTC().Format(time.TimeOnly), e.Object, e.Reason, e.Count, e.Message)
	}
	for _, s := range d.Incomplete {
		fmt.Fprintf(&b, "not found out: %s\n", s)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// Markdown is the diagnosis for a summary; "" when nothing was found.
func (d Diagnosis) Markdown() string {
	var b strings.Builder
	var rows [][]string
	for _, p := range d.Pods {
		if len(p.Containers) == 0 {
			rows = append(rows, []string{report.Escape(p.Name), "", report.Escape(p.state()), ""})
		}
		for _, c := range p.Containers {
			rows = append(rows, []string{report.Escape(p.Name), report.Escape(c.Name), report.Escape(c.State), fmt.Sprint(c.Restarts)})
		}
	}
	if len(rows) > 0 {
		b.WriteString(report.Table([]string{"Pod", "Container", "State", "Restarts"}, rows) + "\n")
	}
	for _, p := range d.Pods {
		for _, c := range p.Containers {
			if len(c.Log) > 0 {
				b.WriteString(report.Details(c.logTitle(p.Name), report.Code("", strings.Join(c.Log, "\n"))) + "\n")
			}
		}
	}
	rows = nil
	for _, e := range d.Events {
		rows = append(rows, []string{e.Time.UTC().Format(time.TimeOnly), report.Escape(e.Object), report.Escape(e.Reason), fmt.Sprint(e.Count), report.Escape(e.Message)})
	}
	if len(rows) > 0 {
		b.WriteString(report.Details("Events", report.Table([]string{"Time", "Object", "Reason", "Count", "Message"}, rows)) + "\n")
	}
	for _, s := range d.Incomplete {
		b.WriteString("Not found out: " + report.Escape(s) + "\n")
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func (p PodDiagnosis) state() string {
	return strings.TrimSpace(p.Phase + " " + p.Message)
}

func (c ContainerDiagnosis) logTitle(pod string) string {
	run := ""
	if c.Previous {
		run = ", the run before"
	}
	return fmt.Sprintf("Last %d log lines of %s, container %s%s", len(c.Log), pod, c.Name, run)
}
