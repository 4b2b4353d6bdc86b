package metrics

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/org/promote/pkg/verdict"
)

// Kept is what the ratio checks of a run have seen, by the check's name, for another run that goes on with its rollout.
type Kept map[string]KeptCheck

// KeptCheck is the evidence of one check.
type KeptCheck struct {
	// Question is a hash over what was counted: evidence is worth nothing to a check that counts something else.
	Question string       `json:"question"`
	Evidence verdict.Kept `json:"evidence"`
}

// Keep gives what has been seen so far. What value checks have seen counts for the step alone, and is not in it.
func (j *Judge) Keep() Kept {
	k := Kept{}
	for i, c := range j.checks {
		if c.Type == RatioCheck {
			k[c.Name] = KeptCheck{Question: c.question(), Evidence: j.states[i].evidence.Keep()}
		}
	}
	return k
}

// Resume goes on with what another run of the same rollout has seen, after [Judge.Prove]: the error rate is then one over both runs. A
// ratio check without evidence of its own, or with evidence that was gathered by another rule, begins afresh with an error rate of
// its own; afresh says which do, and why.
func (j *Judge) Resume(k Kept) (afresh []error) {
	for i, c := range j.checks {
		if c.Type != RatioCheck {
			continue
		}
		s := &j.states[i]
		kept, ok := k[c.Name]
		switch {
		case !ok:
			afresh = append(afresh, fmt.Errorf("check %q: no evidence of it was kept", c.Name))
			continue
		case kept.Question != c.question():
			afresh = append(afresh, fmt.Errorf("check %q: its queries are others now", c.Name))
			continue
		}
		evidence, err := s.rule.Resume(kept.Evidence)
		if err != nil {
			afresh = append(afresh, fmt.Errorf("check %q: %w", c.Name, err))
			continue
		}
		s.evidence, s.resumed = evidence, &kept.Evidence
	}
	return afresh
}

// question is a hash over the queries of a ratio check.
func (c Check) question() string {
	// Two texts as JSON have one form, and no text can stand for another two.
	text, _ := json.Marshal([]string{c.Bad, c.Total})
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}
