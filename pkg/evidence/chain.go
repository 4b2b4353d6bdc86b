package evidence

import "time"

// Link is one gate in the chain of an image, for people to read.
type Link struct {
	Gate string
	// Result is "passed", "failed", or the [Kind] of the gap.
	Result string
	// The rest is that of the statement that decides, and zero when it is not there.
	Time        time.Time
	Environment string
	Release     string
	Commit      string
	Run         string
	Verdict     string // may quote text from outside
	Tests       *Tests
	Approvers   []string
	// Signer is the id of the key, "" for a statement that is not signed. Statement is its id.
	Signer, Statement string
}

// Chain gives every gate's state for a digest, in the order of the gates.
func Chain(records []Record, digest string) []Link {
	chain := make([]Link, 0, len(Gates()))
	for _, gate := range Gates() {
		d := decide(records, gate, Requirement{Digest: digest})
		link := Link{Gate: gate, Result: d.result}
		if d.by != nil {
			s := d.by.Statement
			link.Time, link.Environment, link.Release, link.Commit, link.Run, link.Verdict = s.Time, s.Environment, s.Release, s.Commit, s.Run, s.Verdict
			link.Tests, link.Approvers, link.Signer, link.Statement = s.Tests, s.Approvers, d.by.Signer, d.by.ID
		}
		chain = append(chain, link)
	}
	return chain
}
