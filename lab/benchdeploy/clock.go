package main

import (
	"bytes"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/org/promote/lab/fault"
)

// servesLine is in the line that promote prints when its candidate has all traffic.
const servesLine = " now selects "

// firstRequest is when the first request came since it was last forgotten, in Unix nanoseconds.
type firstRequest struct {
	at atomic.Int64
	// all says when each came.
	all stamped
}

// note decides for a front: everything is passed on.
func (f *firstRequest) note(r fault.Request) fault.Fault {
	f.at.CompareAndSwap(0, time.Now().UnixNano())
	_, _ = f.all.Write([]byte(r.Method + " " + r.URL.RequestURI()))
	return fault.Fault{}
}

// forget begins anew.
func (f *firstRequest) forget() {
	f.at.Store(0)
	f.all.reset()
}

// since is how long after began it came; 0 when none did.
func (f *firstRequest) since(began time.Time) time.Duration {
	at := f.at.Load()
	if at == 0 {
		return 0
	}
	return time.Unix(0, at).Sub(began)
}

// stamped keeps what is written, and when each write came.
type stamped struct {
	began time.Time
	mu    sync.Mutex
	text  bytes.Buffer
	marks []mark
	// then runs once, when servesLine is written; it may be nil.
	then func()
}

type mark struct {
	at   time.Duration
	text string
}

var _ io.Writer = (*stamped)(nil)

// Write implements [io.Writer].
func (s *stamped) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.marks = append(s.marks, mark{time.Since(s.began), string(p)})
	if s.then != nil && bytes.Contains(p, []byte(servesLine)) {
		s.then()
		s.then = nil
	}
	return s.text.Write(p)
}

// reset forgets what was written; the time begins anew.
func (s *stamped) reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.began, s.marks = time.Now(), nil
	s.text.Reset()
}

func (s *stamped) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// trace is what was written, with the time of each write.
func (s *stamped) trace() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b strings.Builder
	for _, m := range s.marks {
		b.WriteString(m.at.Round(time.Millisecond).String() + " " + strings.TrimRight(m.text, "\n") + "\n")
	}
	return b.String()
}

// when is the time at which a text was first written; 0 when it was not.
func (s *stamped) when(text string) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.marks {
		if strings.Contains(m.text, text) {
			return m.at
		}
	}
	return 0
}
