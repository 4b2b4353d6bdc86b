package command

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// stream copies what a process prints. The process gets the pipe itself: with a writer instead, os/exec would wait for every
// process that has it open, and not only for the command.
type stream struct {
	read, write *os.File
	to          io.Writer
	copying     bool
	done        chan struct{}
}

func pipe(end *io.Writer, to io.Writer) (*stream, error) {
	read, write, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("making a pipe for the command's output: %w", err)
	}
	*end = write
	return &stream{read: read, write: write, to: to, done: make(chan struct{})}, nil
}

// started closes our copy of the process's end and begins to copy.
func (s *stream) started() {
	_ = s.write.Close()
	s.copying = true
	go func() {
		defer close(s.done)
		_, _ = io.Copy(s.to, s.read)
	}()
}

// drained waits a little until everything was copied and says whether it was.
func (s *stream) drained() bool {
	timer := time.NewTimer(afterwards)
	defer timer.Stop()
	select {
	case <-s.done:
		return true
	case <-timer.C:
		return false
	}
}

// close ends the copying, which a process in another group may hold up for ever.
func (s *stream) close() {
	_ = s.write.Close()
	_ = s.read.Close()
	if s.copying {
		<-s.done
	}
}

// locked lets several streams write to one place, one at a time.
type locked struct {
	to io.Writer
	mu *sync.Mutex
}

// Write implements [io.Writer].
func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.to.Write(p)
}
