package github

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	head  = "1111111111111111111111111111111111111111"
	merge = "2222222222222222222222222222222222222222"
	other = "3333333333333333333333333333333333333333"
	tree  = "4444444444444444444444444444444444444444"
	base  = "5555555555555555555555555555555555555555"
	token = "ghs_secret_of_the_test"
)

// answer is one prepared answer: a status and a body, and headers if need be.
type answer struct {
	status int
	body   string
	header http.Header
}

// server behaves like GitHub for the routes that a test prepares. The last answer of a route is given again and again. A
// request that no test prepared, a wrong token and a route that nobody asked for fail the test.
type server struct {
	t *testing.T
	*httptest.Server

	mu       sync.Mutex
	routes   map[string][]answer
	asked    map[string]int
	requests []request
}

// request is what arrived.
type request struct {
	route string
	body  map[string]any
}

func serve(t *testing.T, routes map[string][]answer) *server {
	t.Helper()
	s := &server{t: t, routes: routes, asked: map[string]int{}}
	s.Server = httptest.NewServer(s)
	t.Cleanup(func() {
		s.Close()
		for route := range routes {
			if s.asked[route] == 0 {
				t.Errorf("nobody asked for %s", route)
			}
		}
	})
	return s
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	route := r.Method + " " + strings.TrimPrefix(r.URL.RequestURI(), "/repos/org/shop")
	data, _ := io.ReadAll(r.Body)
	var body map[string]any
	_ = json.Unmarshal(data, &body)
	s.requests = append(s.requests, request{route: route, body: body})
	if got := r.Header.Get("Authorization"); got != "Bearer "+token {
		s.t.Errorf("%s came with the authorization %q", route, got)
	}
	answers, ok := s.routes[route]
	if !ok {
		s.t.Errorf("nobody prepared %s", route)
		w.WriteHeader(http.StatusNotImplemented)
		return
	}
	a := answers[min(s.asked[route], len(answers)-1)]
	s.asked[route]++
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	for name, values := range a.header {
		w.Header()[name] = values
	}
	w.WriteHeader(a.status)
	_, _ = io.WriteString(w, a.body)
}

// sent gives the bodies that arrived at a route.
func (s *server) sent(route string) []map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	var bodies []map[string]any
	for _, r := range s.requests {
		if r.route == route {
			bodies = append(bodies, r.body)
		}
	}
	return bodies
}

// client gives a client that does not wait long.
func (s *server) client() *Client {
	s.t.Helper()
	c, err := New(Config{APIURL: s.URL, Token: token, Repository: "org/shop"})
	if err != nil {
		s.t.Fatal(err)
	}
	c.settle, c.poll = 200*time.Millisecond, 5*time.Millisecond
	return c
}

func ok(format string, args ...any) answer {
	return answer{status: http.StatusOK, body: fmt.Sprintf(format, args...)}
}

func refused(status int, message string) answer {
	return answer{status: status, body: fmt.Sprintf(`{"message":%q}`, message)}
}

func commitOf(sha, tree string) answer {
	return ok(`{"sha":%q,"tree":{"sha":%q}}`, sha, tree)
}
