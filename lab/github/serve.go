package github

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"slices"
	"strings"
)

// apiVersions are the values of X-GitHub-Api-Version that are accepted; any other is refused.
var apiVersions = []string{"2022-11-28", "2026-03-10"}

// call is one request on its way through the double.
type call struct {
	request *http.Request
	params  map[string]string
	body    []byte
	token   *token // nil: anonymous
	repo    *repository
	header  http.Header // of the answer
}

// login is who acts; "" is nobody.
func (c *call) login() string {
	if c.token == nil {
		return ""
	}
	return c.token.Login
}

// ServeHTTP answers one API request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &call{request: r, header: w.Header()}
	endpoint, params := findRoute(r.Method, r.URL)
	c.params = params
	id := strings.ToUpper(rand.Text()[:16])
	c.header.Set("X-GitHub-Request-Id", id)
	c.header.Set("X-GitHub-Media-Type", "github.v3; format=json")

	status, body, err := s.answer(r.Context(), endpoint, c)
	var no *Refusal
	switch {
	case errors.As(err, &no):
		status, body = no.Status, no.body()
	case err != nil:
		// A fault of the double itself. It must be seen, so it is in the answer.
		status, body = http.StatusInternalServerError, refuse(http.StatusInternalServerError, "the double broke: %v", err).body()
	}
	status, data := encode(r, c.header, status, body)
	entry := Request{Time: s.clock().UTC(), Method: r.Method, Path: r.URL.RequestURI(), Login: c.login(), Status: status, ID: id}
	if endpoint != nil {
		entry.Route = endpoint.template
	}
	// Logged first: who has the answer finds the request in the log.
	s.log.add(entry)
	w.WriteHeader(status)
	// An error here means that the caller has hung up; there is nobody to tell.
	_, _ = w.Write(data)
}

// answer checks in GitHub's order: the request's form, who asks, what may be seen, what may be done.
func (s *Server) answer(ctx context.Context, endpoint *route, c *call) (int, any, error) {
	r := c.request
	if r.UserAgent() == "" {
		return 0, nil, refuse(http.StatusForbidden, "Request forbidden by administrative rules. Please make sure your request has a User-Agent header.")
	}
	if v := r.Header.Get("X-GitHub-Api-Version"); v != "" && !slices.Contains(apiVersions, v) {
		return 0, nil, refuse(http.StatusBadRequest, "%q is not a valid API version", v)
	}
	if err := s.throttled(c); err != nil {
		return 0, nil, err
	}
	if err := s.authenticate(c); err != nil {
		return 0, nil, err
	}
	if endpoint == nil {
		return 0, nil, refuse(http.StatusNotImplemented, "GitHub's double has no %s %s", r.Method, r.URL.Path)
	}
	if err := s.authorize(c, endpoint); err != nil {
		return 0, nil, err
	}
	if err := c.read(); err != nil {
		return 0, nil, err
	}
	if c.repo != nil {
		if err := s.refresh(ctx, c.repo, ""); err != nil {
			return 0, nil, err
		}
	}
	status, body, err := endpoint.handle(s, ctx, c)
	if err == nil && r.Method != http.MethodGet && r.Method != http.MethodHead {
		err = s.save()
	}
	return status, body, err
}
