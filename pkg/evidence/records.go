package evidence

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// Record is a statement as it was found beside its image.
type Record struct {
	// Statement is what was proven, or, in the unsigned mode, what was said. It is zero when there is a Problem.
	Statement Statement
	// ID names the statement by its own bytes, Referrer the manifest that holds it, Signer the key that verified it.
	ID, Referrer, Signer string
	// Problem and Reason say why it counts for nothing.
	Problem Problem
	Reason  string
	// Claims is the gate that one with a Problem says it is for, "" if it names none. Anybody may have written that.
	Claims string
}

// Add writes a statement beside its image. It reads what is there first, to remember the newest statement of each gate in it
// and not to date it before one of the same gate; s.Time may so come to be later. The record holds what was written.
//
// A failure that could not be written is one that the next gate does not know of: who cannot add it has to fail, and to say
// so.
func Add(ctx context.Context, s Statement, key *Key) (Record, error) {
	if err := s.check(); err != nil {
		return Record{}, err
	}
	records, err := Read(ctx, s.Image, key)
	if err != nil && s.Result == Passed {
		return Record{}, err
	}
	// A failure is written though nothing could be read: whoever can fill the list with rubbish must not keep it out.
	s.Previous = Newest(records)
	s.Time = s.Time.UTC().Truncate(time.Millisecond)
	for _, seen := range s.Previous {
		if seen.Gate == s.Gate && !s.Time.After(seen.Time) {
			s.Time = seen.Time.Add(time.Millisecond)
		}
	}
	predicate, err := json.Marshal(s)
	if err != nil {
		return Record{}, fmt.Errorf("writing the statement of gate %q: %w", s.Gate, err)
	}
	payload, err := encode(s.Image, PredicateType, predicate)
	if err != nil {
		return Record{}, fmt.Errorf("writing the statement of gate %q: %w", s.Gate, err)
	}
	referrer, err := attach(ctx, s.Image, PredicateType, payload, key)
	if err != nil {
		return Record{}, fmt.Errorf("adding the statement of gate %q: %w", s.Gate, err)
	}
	return Record{Statement: s, ID: digestOf(payload), Referrer: referrer, Signer: key.ID()}, nil
}

// Read gives every statement about an image, "repository@sha256:…", in the order of their times, and after them what has a
// Problem. A nil key is the unsigned mode. An error means that the registry gave no answer; an image without statements
// gives none.
func Read(ctx context.Context, reference string, key *Key) ([]Record, error) {
	found, err := Attestations(ctx, reference, PredicateType, key)
	if err != nil {
		return nil, fmt.Errorf("reading the evidence of %q: %w", reference, err)
	}
	records := make([]Record, 0, len(found))
	for _, one := range found {
		r := Record{ID: one.ID, Referrer: one.Referrer, Signer: one.Signer, Problem: one.Problem, Reason: one.Reason}
		if one.Problem != "" {
			if said, err := decodeStatement(reference, one.claimed); err == nil {
				r.Claims = said.Gate
			}
		} else if r.Statement, err = decodeStatement(reference, one.Predicate); err != nil {
			// Signed, and not understood: by a later version of this package, perhaps. It may be a failure.
			r.Problem, r.Reason = Unreadable, err.Error()
		}
		records = append(records, r)
	}
	slices.SortFunc(records, func(a, b Record) int {
		return cmp.Or(cmp.Compare(a.Problem, b.Problem), compare(a.Seen(), b.Seen()), cmp.Compare(a.Referrer, b.Referrer))
	})
	return records, nil
}

// Newest gives the newest statement of each gate that the records hold or remember, in the order of the gates.
func Newest(records []Record) []Seen {
	var newest []Seen
	for _, gate := range Gates() {
		all := remembered(records, nil, gate)
		if len(all) > 0 {
			newest = append(newest, slices.MaxFunc(all, compare))
		}
	}
	return newest
}

// remembered are all statements of a gate: those that are there, those that these remember, and those known elsewhere.
func remembered(records []Record, known []Seen, gate string) []Seen {
	var all []Seen
	add := func(s Seen) {
		if s.Gate == gate && !slices.ContainsFunc(all, func(o Seen) bool { return s.Statement != "" && o.Statement == s.Statement }) {
			all = append(all, s)
		}
	}
	for _, r := range records {
		if r.Problem == "" {
			add(r.Seen())
		}
	}
	for _, r := range records {
		for _, s := range r.Statement.Previous {
			add(s)
		}
	}
	for _, s := range known {
		add(s)
	}
	return all
}

// Seen is what another place can keep of the record, to give it to [Require] as [Requirement.Known].
func (r Record) Seen() Seen {
	s := r.Statement
	return Seen{Gate: s.Gate, Result: s.Result, Time: s.Time, Statement: r.ID, Run: s.Run}
}

// compare orders statements by time; at the same instant a failure is the later one, and two alike go by their digests.
func compare(a, b Seen) int {
	return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(rank(a.Result), rank(b.Result)), cmp.Compare(a.Statement, b.Statement))
}

func rank(result string) int {
	if result == Passed {
		return 0
	}
	return 1
}
