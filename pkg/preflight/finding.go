package preflight

import "strconv"

// State is what came of looking.
type State int

// The states. A finding that says nothing is Unknown: what was not seen is not good.
const (
	Unknown State = iota // it could not be looked at; Told says why
	Good
	Wrong // a run would fail, or do less than it should; Fix says what to change
	Noted // nothing to mend, but worth knowing
)

func (s State) String() string {
	switch s {
	case Good:
		return "good"
	case Wrong:
		return "to change"
	case Noted:
		return "noted"
	case Unknown:
		return "not known"
	}
	return "state " + strconv.Itoa(int(s))
}

// sign is for the eye; the word stands beside it, for who can't see the sign.
func (s State) sign() string {
	switch s {
	case Good:
		return "✅"
	case Wrong:
		return "❌"
	case Noted:
		return "📝"
	}
	return "❔"
}

// Finding is one thing that was looked at.
type Finding struct {
	// Area is a word for where it is: GitHub, registry, cluster. One that is empty gets that of its look.
	Area string
	// Subject is what was looked at: "statuses: write", "Deployment/prod/checkout: patch".
	Subject string
	State   State
	// Told is what was seen, without a full stop at its end.
	Told string
	// Fix is what to change, as an order: "add `statuses: write` to the job's permissions". What stands between backticks shows as code. Lines
	// after the first are to be copied, and show as a block of code.
	Fix string
}
