package image

import (
	"bytes"
	"io"
	"runtime"

	"github.com/klauspost/compress/gzip"
)

// squeezeChunk is how many bytes each goroutine compresses at a time. It is part of a layer's bytes: another number gives
// other digests.
const squeezeChunk = 1 << 20

// squeezer compresses with several goroutines: a gzip file may have several members (RFC 1952, section 2.2), and each chunk
// becomes one. So the result does not depend on how many there are. It compresses little and fast: a layer is made at every
// change of the program, and the registry stores it once.
type squeezer struct {
	chunk   []byte
	pending chan chan squeezed
	done    chan error
}

type squeezed struct {
	data []byte
	err  error
}

func newSqueezer(w io.Writer) *squeezer {
	s := &squeezer{pending: make(chan chan squeezed, runtime.GOMAXPROCS(0)), done: make(chan error, 1)}
	go func() {
		var failed error
		for next := range s.pending {
			result := <-next
			if failed == nil {
				failed = result.err
			}
			if failed == nil {
				_, failed = w.Write(result.data)
			}
		}
		s.done <- failed
	}()
	return s
}

// Write implements [io.Writer]. What goes wrong is known at [squeezer.Close].
func (s *squeezer) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		if s.chunk == nil {
			s.chunk = make([]byte, 0, squeezeChunk)
		}
		take := min(len(p), squeezeChunk-len(s.chunk))
		s.chunk, p = append(s.chunk, p[:take]...), p[take:]
		if len(s.chunk) == squeezeChunk {
			s.flush()
		}
	}
	return n, nil
}

// flush starts the compression of what has gathered; it waits while as many chunks as there are processors are under way.
func (s *squeezer) flush() {
	chunk, result := s.chunk, make(chan squeezed, 1)
	s.chunk = nil
	s.pending <- result
	go func() {
		data, err := squeeze(chunk)
		result <- squeezed{data, err}
	}()
}

// Close compresses the rest and waits until all is written.
func (s *squeezer) Close() error {
	if len(s.chunk) > 0 {
		s.flush()
	}
	close(s.pending)
	return <-s.done
}

func squeeze(chunk []byte) ([]byte, error) {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(chunk); err != nil {
		return nil, err
	}
	err = w.Close()
	return out.Bytes(), err
}
