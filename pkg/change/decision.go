package change

import (
	"errors"
	"fmt"
	"strings"
)

// Decision says in one line what [FromEvent] made of an event: "change: …" with the commit, or "neutral", "refusal" or
// "invalid" with the reason's name and its text.
func Decision(c Change, err error) string {
	var neutral *Neutral
	var refusal *Refusal
	switch {
	case errors.As(err, &neutral):
		return fmt.Sprintf("neutral (%s): %s", neutral.Name, neutral.Reason)
	case errors.As(err, &refusal):
		return fmt.Sprintf("refusal (%s): %s", refusal.Name, refusal)
	case err != nil:
		return "invalid: " + strings.ReplaceAll(err.Error(), "\n", "; ")
	}
	parts := []string{"change:"}
	for _, each := range []struct{ label, value string }{
		{"", c.pull()}, {"head ", c.Head}, {"on ", c.HeadRef}, {"into ", c.BaseRef}, {"by ", c.Author}, {"titled ", quoted(c.Title)},
	} {
		if each.value != "" {
			parts = append(parts, each.label+each.value)
		}
	}
	return strings.Join(parts, " ")
}

func (c Change) pull() string {
	if c.PullRequest == 0 {
		return ""
	}
	return fmt.Sprintf("#%d", c.PullRequest)
}

func quoted(text string) string {
	if text == "" {
		return ""
	}
	return fmt.Sprintf("%q", text)
}
