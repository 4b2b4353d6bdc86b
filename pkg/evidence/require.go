package evidence

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Skew is how far the clocks of two runners may be apart. A pass that is later than a failure by less, and does not carry
// it among what its writer saw, may have been before it: it does not count.
const Skew = 5 * time.Minute

// Requirement is what must have been passed, by what.
type Requirement struct {
	// Gates are those that must have been passed.
	Gates []string
	// Digest is the image's, "sha256:…".
	Digest string
	// Commit, Tree and Repository must be those of each passing statement; "" is not asked.
	Commit, Tree, Repository string
	// Known is what other places remember of statements (see [Record.Seen]), at least of the newest of all, so that the
	// deletion of the end of the history is noticed too. One without its id is only held against older passes, if it failed.
	Known []Seen
	// Workflows says of each gate what fills it, for the fix: "the workflow pull-request.yml".
	Workflows map[string]string
}

// Require decides whether the records, as [Read] gives them, pass all gates: no refusal means that they do. Every gap is
// reported.
func Require(records []Record, r Requirement) []Refusal {
	var refusals []Refusal
	for _, gate := range r.Gates {
		if !slices.Contains(Gates(), gate) {
			refusals = append(refusals, Refusal{Gate: gate, Kind: UnknownGate, Reason: fmt.Sprintf("there is no such gate; valid are %s", strings.Join(Gates(), ", "))})
			continue
		}
		refusals = append(refusals, decide(records, gate, r).refusals...)
	}
	if len(r.Gates) == 0 {
		return nil
	}
	refusals = append(refusals, missed(records, r)...)
	for _, record := range records {
		if record.Problem == Unreadable {
			refusals = append(refusals, Refusal{Kind: Lost, Reason: fmt.Sprintf("%s refers to the image and cannot be read: %s", record.Referrer, record.Reason),
				Fix: "it may be a failure: restore it, or take it out of the list of what refers to the image (the tag " + strings.Replace(r.Digest, ":", "-", 1) + " in a registry without the referrers API) and run the gates again"})
		}
	}
	return refusals
}

// missed reports what another place knows of and is not there, for gates that are not asked for too: who deleted it may have
// deleted a failure before it, which it alone remembered.
func missed(records []Record, r Requirement) []Refusal {
	var refusals []Refusal
	for _, gate := range Gates() {
		all := remembered(records, r.Known, gate)
		if slices.Contains(r.Gates, gate) || len(all) == 0 {
			continue
		}
		newest := slices.MaxFunc(all, compare)
		known := slices.ContainsFunc(r.Known, func(k Seen) bool { return k.Statement != "" && k.Statement == newest.Statement })
		if known && find(records, newest) == nil {
			refusals = append(refusals, removed(gate, newest, r))
		}
	}
	return refusals
}

func removed(gate string, newest Seen, r Requirement) Refusal {
	return Refusal{Gate: gate, Kind: Removed, Run: newest.Run, Fix: r.fix(gate),
		Reason: "its newest statement" + at(newest) + " is remembered and no longer there: it was deleted from the registry"}
}

// decision is what the records say of one gate.
type decision struct {
	// by is the statement that decides, nil when none is there.
	by *Record
	// result is Passed, Failed, or a Kind's name.
	result   string
	refusals []Refusal
}

// decide looks at one gate. A pass counts if it fits and no failure revokes it, and if the newest statement that anything
// remembers is there: where one was deleted, others may have been.
func decide(records []Record, gate string, r Requirement) decision {
	passes, misfits := passesOf(records, gate, r)
	all := remembered(records, r.Known, gate)
	slices.SortFunc(all, compare)
	if len(all) > 0 {
		newest := all[len(all)-1]
		if newest.Result == Passed && newest.Statement != "" && find(records, newest) == nil {
			return decision{nil, string(Removed), []Refusal{removed(gate, newest, r)}}
		}
	}
	failures := slices.DeleteFunc(all, func(s Seen) bool { return s.Result == Passed })
	for _, pass := range slices.Backward(passes) {
		if !slices.ContainsFunc(failures, func(f Seen) bool { return revokes(f, pass) != "" }) {
			return decision{by: pass, result: Passed}
		}
	}
	switch {
	case len(passes) > 0:
		return revoked(records, gate, r, passes[len(passes)-1], failures)
	case len(failures) > 0:
		newest := failures[len(failures)-1]
		by := find(records, newest)
		return decision{by, Failed, []Refusal{{Gate: gate, Kind: GateFailed, Run: newest.Run, Reason: "it failed" + at(newest) + gone(by), Fix: r.fix(gate)}}}
	case len(misfits) > 0:
		newest := misfits[len(misfits)-1]
		return decision{newest, string(Wrong), r.misfit(gate, newest)}
	}
	return absent(records, gate, r)
}

// passesOf gives the passing statements of a gate that fit the requirement and those that do not, oldest first.
func passesOf(records []Record, gate string, r Requirement) (passes, misfits []*Record) {
	for i := range records {
		record := &records[i]
		switch {
		case record.Problem != "" || record.Statement.Gate != gate || record.Statement.Result != Passed:
		case len(r.misfit(gate, record)) > 0:
			misfits = append(misfits, record)
		default:
			passes = append(passes, record)
		}
	}
	byTime := func(a, b *Record) int { return compare(a.Seen(), b.Seen()) }
	slices.SortFunc(passes, byTime)
	slices.SortFunc(misfits, byTime)
	return passes, misfits
}

// revokes says with a reason that the failure takes the pass back, with "" that it does not.
func revokes(failure Seen, pass *Record) string {
	s := pass.Statement
	for _, seen := range s.Previous {
		// What a writer saw is before what it wrote, whatever the clocks say.
		if seen.Gate == failure.Gate && (failure.Statement != "" && seen.Statement == failure.Statement || seen.Time.After(failure.Time)) {
			return ""
		}
	}
	switch {
	case !s.Time.After(failure.Time):
		return "it failed after it had passed"
	case failure.Statement != "" && s.Time.Sub(failure.Time) < Skew:
		return "it failed and passed in two runs at once, and which was later cannot be told"
	}
	return ""
}

func revoked(records []Record, gate string, r Requirement, pass *Record, failures []Seen) decision {
	for _, failure := range slices.Backward(failures) {
		if reason := revokes(failure, pass); reason != "" {
			by := find(records, failure)
			return decision{by, string(Revoked), []Refusal{{Gate: gate, Kind: Revoked, Run: failure.Run, Reason: reason + at(failure) + gone(by), Fix: r.fix(gate)}}}
		}
	}
	return decision{} // not reached: a pass that nothing revokes has passed
}

// absent explains a gate that nothing proven speaks of.
func absent(records []Record, gate string, r Requirement) decision {
	var refusals []Refusal
	for _, problem := range slices.Sorted(maps.Keys(kinds)) {
		claims := slices.DeleteFunc(slices.Clone(records), func(r Record) bool { return r.Problem != problem || r.Claims != gate })
		if len(claims) == 0 {
			continue
		}
		reason := fmt.Sprintf("%s claims it and does not count: %s", claims[0].Referrer, claims[0].Reason)
		if more := len(claims) - 1; more > 0 {
			reason += fmt.Sprintf(" (and %d more like it)", more)
		}
		refusals = append(refusals, Refusal{Gate: gate, Kind: kinds[problem], Reason: reason, Fix: r.fix(gate)})
	}
	if len(refusals) == 0 {
		refusals = []Refusal{{Gate: gate, Kind: Missing, Reason: "there is no statement for " + r.Digest, Fix: r.fix(gate)}}
	}
	return decision{nil, string(refusals[0].Kind), refusals}
}

// find gives the record of a statement that is there.
func find(records []Record, s Seen) *Record {
	for i := range records {
		if records[i].Problem == "" && s.Statement != "" && records[i].ID == s.Statement {
			return &records[i]
		}
	}
	return nil
}

func at(s Seen) string { return " at " + s.Time.UTC().Format(time.RFC3339) }

func gone(by *Record) string {
	if by == nil {
		return ", as others remember; the statement itself is no longer there"
	}
	return ""
}
