package gha

import (
	"crypto/rand"
	"fmt"
	"os"
	"regexp"
	"strings"
)

const (
	// summaryCap is a little below the 1 MiB over which GitHub drops a step's summary whole.
	summaryCap = 1<<20 - 1<<10
	summaryCut = "\n\n_The summary was cut here: GitHub shows at most 1 MiB. The log has the rest._\n"
)

var outputName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*$`)

// SetOutput sets an output of the action. The delimiter is random, so a value cannot write other outputs. A value that holds
// a masked secret is an error: GitHub would drop it silently. Without a runner (no GITHUB_OUTPUT) it goes to the log.
func (a *Action) SetOutput(name, value string) error {
	if !outputName.MatchString(name) {
		return fmt.Errorf("setting output %q: not an output's name", name)
	}
	if a.out.secrets.Holds(value) {
		return fmt.Errorf("setting output %q: its value holds a masked secret, and GitHub drops such outputs", name)
	}
	if _, ok := a.commandFile("GITHUB_OUTPUT"); !ok {
		a.Infof("output %s=%s", name, value)
		return nil
	}
	delimiter := "promote-" + rand.Text()
	if err := a.issueFile("output", name+"<<"+delimiter+"\n"+value+"\n"+delimiter); err != nil {
		return fmt.Errorf("setting output %q: %w", name, err)
	}
	return nil
}

// Summary appends Markdown to the step's summary. What would pass GitHub's limit of 1 MiB is cut at a line and says so.
// Without a runner (no GITHUB_STEP_SUMMARY) it does nothing.
func (a *Action) Summary(markdown string) error {
	path, ok := a.commandFile("GITHUB_STEP_SUMMARY")
	if !ok {
		return nil
	}
	size := int64(0)
	if info, err := os.Stat(path); err == nil {
		size = info.Size()
	}
	text, ok := fitSummary(a.out.redact(markdown), summaryCap-int(size))
	if !ok {
		return nil // it was cut before, and says so
	}
	if err := a.issueFile("step-summary", text); err != nil {
		return fmt.Errorf("writing the summary: %w", err)
	}
	return nil
}

// fitSummary cuts markdown to room bytes, closing a code block that the cut would leave open. It is not ok when there is no
// room even for the remark about the cut.
func fitSummary(markdown string, room int) (string, bool) {
	if len(markdown) < room { // one byte is for the newline that ends it
		return markdown, true
	}
	const closing = len("\n``````````")
	keep := room - len(summaryCut) - closing - 1
	if keep < 0 {
		return "", false
	}
	text := markdown[:strings.LastIndexByte(markdown[:keep+1], '\n')+1]
	if fence := openFence(text); fence != "" {
		text += "\n" + fence
	}
	return text + summaryCut, true
}

// openFence gives the fence of the code block that text ends in, or "".
func openFence(text string) string {
	open := ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		ticks := len(line) - len(strings.TrimLeft(line, "`"))
		switch {
		case open == "" && ticks >= 3:
			open = line[:ticks]
		case open != "" && ticks >= len(open) && ticks == len(line):
			open = ""
		}
	}
	return open
}
