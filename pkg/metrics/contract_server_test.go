package metrics

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// script is one answer: status, header, body.
type script func(r *http.Request, body string) (int, http.Header, string)

// silent never answers.
func silent(r *http.Request, _ string) (int, http.Header, string) {
	<-r.Context().Done()
	return 0, nil, ""
}

// echo repeats what the request brought, credentials too, as careless servers do.
func echo(r *http.Request, body string) string {
	user, password, _ := r.BasicAuth()
	return fmt.Sprintf(`{"errors":[{"message":%q}],"status":"error","error":%q}`, fmt.Sprint(r.Header, user, password), body+fmt.Sprint(r.Header, password))
}

// scripted is a server that says what it is told, the last of it again and again, to those whom the double admits.
type scripted struct {
	t      *testing.T
	double double
	// monitor is the adapter that asks it, if run opened it.
	monitor Querier
	mu      sync.Mutex
	lines   []script
	asked   int
}

func (s *scripted) serve(net *wires) {
	net.serve(s.t, s.double.address, s)
	if s.double.also != "" {
		net.serve(s.t, s.double.also, s)
	}
}

func (s *scripted) say(lines ...script) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines, s.asked = lines, 0
}

func (s *scripted) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body := readAll(s.t, r)
	if err := s.double.admits(r, body); err != nil {
		s.t.Errorf("the double refuses: %v", err)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	s.mu.Lock()
	line := s.lines[min(s.asked, len(s.lines)-1)]
	s.asked++
	s.mu.Unlock()
	status, header, text := line(r, body)
	if status == 0 {
		return
	}
	w.Header().Set("Content-Type", s.double.kind)
	for name, values := range header {
		w.Header()[http.CanonicalHeaderKey(name)] = values
	}
	w.WriteHeader(status)
	fmt.Fprint(w, text)
}

func (s *scripted) wantNoSecret(err error) {
	s.t.Helper()
	for _, secret := range s.double.secrets {
		if err != nil && strings.Contains(err.Error(), secret) {
			s.t.Errorf("the error shows %q: %v", secret, err)
		}
	}
}

func readAll(t *testing.T, r *http.Request) string {
	t.Helper()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Errorf("reading the request: %v", err)
	}
	return string(body)
}
