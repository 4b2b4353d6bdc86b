package demo

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/org/promote/lab/show"
)

// Rules for what the demo prints stand here: one line per thing that happened, with the seconds since the start; what a
// person did starts at the margin, what ran because of it is set in; ✓ and ✗ are results; everything else is in the log
// files that the lines name.

// timeline prints what happens while it happens. Several runs may print at once.
type timeline struct {
	mu    sync.Mutex
	out   io.Writer
	start time.Time
	// done is what people did.
	done []show.Event
}

func newTimeline(out io.Writer) *timeline { return &timeline{out: out, start: time.Now()} }

func (t *timeline) line(indent int, format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	at := time.Since(t.start)
	fmt.Fprintf(t.out, "%02d:%04.1f  %s%s\n", int(at.Minutes()), at.Seconds()-60*float64(int(at.Minutes())),
		strings.Repeat("   ", indent), fmt.Sprintf(format, args...))
}

// act opens a part of the story.
func (t *timeline) act(title string) {
	t.mu.Lock()
	fmt.Fprintf(t.out, "\n── %s %s\n", title, strings.Repeat("─", max(0, 96-len([]rune(title)))))
	t.mu.Unlock()
}

// person is what somebody did.
func (t *timeline) person(kind show.Kind, format string, args ...any) {
	t.mu.Lock()
	t.done = append(t.done, show.Event{Time: time.Now(), Kind: kind, Text: fmt.Sprintf(format, args...)})
	t.mu.Unlock()
	t.line(0, "● "+format, args...)
}

// deeds are what people did so far.
func (t *timeline) deeds() []show.Event {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.done)
}

// run is what a workflow did.
func (t *timeline) run(format string, args ...any) { t.line(1, format, args...) }

// detail is a line out of a workflow's log.
func (t *timeline) detail(format string, args ...any) { t.line(2, format, args...) }

// mark is the sign of a result.
func mark(ok bool) string {
	if ok {
		return "✓"
	}
	return "✗"
}
