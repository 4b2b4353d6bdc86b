package cluster

import (
	"fmt"
	"sync"
	"time"
)

// Output of the lab: one line per thing, its name first, then what happened, then how long it took. Lines that only say that
// something still goes on begin with two blanks.

var printing sync.Mutex

// say prints one line.
func (l *Lab) say(name, format string, args ...any) {
	printing.Lock()
	defer printing.Unlock()
	fmt.Fprintf(l.out, "%-24s %s\n", name, fmt.Sprintf(format, args...))
}

// begin prints what is about to take long, and returns what prints that it is done.
func (l *Lab) begin(name, what string) (done func()) {
	start := time.Now()
	l.say(name, "%s …", what)
	return func() { l.say(name, "done, %s", seconds(time.Since(start))) }
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }
