package evidence

import "fmt"

// Kind is what is wrong with a gate.
type Kind string

// The kinds of refusal.
const (
	Missing         Kind = "missing"
	GateFailed      Kind = "failed"
	Revoked         Kind = "revoked"
	Removed         Kind = "removed"
	Wrong           Kind = "wrong"
	WrongDigest     Kind = "wrong digest"
	WrongCommit     Kind = "wrong commit"
	WrongTree       Kind = "wrong tree"
	WrongRepository Kind = "wrong repository"
	WrongKey        Kind = "wrong key"
	BadSignature    Kind = "bad signature"
	Unproven        Kind = "unsigned"
	KeyMissing      Kind = "no key"
	Broken          Kind = "malformed"
	Lost            Kind = "unreadable"
	UnknownGate     Kind = "unknown gate"
)

// kinds are the refusals that follow from a record's problem where nothing better is there.
var kinds = map[Problem]Kind{
	Malformed: Broken, NotSigned: Unproven, NoKey: KeyMissing, OtherKey: WrongKey, Altered: BadSignature, OtherImage: WrongDigest,
}

// Refusal is one gap in the evidence.
type Refusal struct {
	// Gate is "" for what concerns all gates.
	Gate string
	Kind Kind
	// Reason says why, Fix what a person can do. Run is the address of the run that failed, "" where there is none.
	Reason, Run, Fix string
}

func (r Refusal) Error() string {
	subject := "the image's evidence"
	if r.Gate != "" {
		subject = fmt.Sprintf("gate %q", r.Gate)
	}
	text := "refusing " + subject + ": " + r.Reason
	if r.Run != "" {
		text += " (" + r.Run + ")"
	}
	if r.Fix != "" {
		text += "; " + r.Fix
	}
	return text
}

func (r Refusal) String() string { return r.Error() }

// fix names what fills a gate.
func (r Requirement) fix(gate string) string {
	by := r.Workflows[gate]
	if by == "" {
		by = "the run of this gate"
	}
	return by + " has to pass for this image"
}

// misfit reports everything in which a passing statement is not what is asked for.
func (r Requirement) misfit(gate string, record *Record) []Refusal {
	s := record.Statement
	var refusals []Refusal
	differ := func(kind Kind, what, got, want string) {
		if want != "" && got != want {
			refusals = append(refusals, Refusal{Gate: gate, Kind: kind, Run: s.Run, Reason: fmt.Sprintf("it passed for %s %q, and %q is asked for", what, got, want), Fix: r.fix(gate)})
		}
	}
	if _, digest, err := subjectOf(s.Image); err != nil || digest != r.Digest {
		refusals = append(refusals, Refusal{Gate: gate, Kind: WrongDigest, Run: s.Run, Reason: fmt.Sprintf("it passed for image %q, and %q is asked for", s.Image, r.Digest), Fix: r.fix(gate)})
	}
	differ(WrongCommit, "commit", s.Commit, r.Commit)
	differ(WrongTree, "tree", s.Tree, r.Tree)
	differ(WrongRepository, "repository", s.Repository, r.Repository)
	return refusals
}
