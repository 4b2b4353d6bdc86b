package github

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Request is one request the double answered.
type Request struct {
	Time   time.Time `json:"time"`
	Method string    `json:"method"`
	Path   string    `json:"path"` // with the query
	// Route is the path's template in GitHub's OpenAPI description, or "" when the double has no such
	// endpoint and answered 501.
	Route  string `json:"route"`
	Login  string `json:"login,omitempty"`
	Status int    `json:"status"`
	// ID is the X-GitHub-Request-Id of the answer.
	ID string `json:"id"`
}

type requestLog struct {
	mu   sync.Mutex
	all  []Request
	out  io.Writer
	fail error // the first error of out; writing stops there, answering does not
}

func (l *requestLog) add(r Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, r)
	if l.out == nil || l.fail != nil {
		return
	}
	line, err := json.Marshal(r)
	if err == nil {
		_, err = l.out.Write(append(line, '\n'))
	}
	l.fail = err
}

// Requests returns every request answered so far, oldest first.
func (s *Server) Requests() []Request {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	return slices.Clone(s.log.all)
}

// LogError is the first error of writing to Options.Log, or nil.
func (s *Server) LogError() error {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	return s.log.fail
}

// Changes returns the requests that changed something: they were not for reading, and were not refused.
func (s *Server) Changes() []Request {
	return slices.DeleteFunc(s.Requests(), func(r Request) bool {
		return r.Method == http.MethodGet || r.Method == http.MethodHead || r.Status >= http.StatusBadRequest
	})
}
