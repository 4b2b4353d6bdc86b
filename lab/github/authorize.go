package github

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// authenticate finds out who asks and takes one from their hourly allowance.
func (s *Server) authenticate(c *call) error {
	header := c.request.Header.Get("Authorization")
	if header == "" {
		s.rate(c, 60, 59, s.clock().Add(time.Hour))
		return nil
	}
	kind, text, _ := strings.Cut(header, " ")
	if !strings.EqualFold(kind, "bearer") && !strings.EqualFold(kind, "token") {
		return refuse(http.StatusUnauthorized, "Bad credentials")
	}
	t := s.state.Tokens[digest(strings.TrimSpace(text))]
	if t == nil {
		return refuse(http.StatusUnauthorized, "Bad credentials")
	}
	c.token = t
	return s.spend(c)
}

// authorize finds the repository and decides whether the caller may do this to it.
func (s *Server) authorize(c *call, endpoint *route) error {
	if endpoint.template == userTemplate {
		return nil // it is about the caller alone, who is looked at there
	}
	repo := s.state.Repos[key(c.params["owner"]+"/"+c.params["repo"])]
	if repo == nil {
		return notFound()
	}
	c.repo = repo
	mine := c.token != nil && c.token.Repository == key(repo.fullName())
	if repo.Private && !mine {
		return notFound() // GitHub never says that what you may not see exists
	}
	reads := endpoint.method == http.MethodGet
	if c.token == nil && !reads {
		return refuse(http.StatusUnauthorized, "Requires authentication")
	}
	accepted := make([]string, len(endpoint.needs))
	for i, n := range endpoint.needs {
		accepted[i] = n.scope + "=" + n.level
	}
	c.header.Set("X-Accepted-GitHub-Permissions", strings.Join(accepted, "; "))
	if !repo.Private && reads {
		return nil
	}
	if mine && slices.ContainsFunc(endpoint.needs, c.token.permits) && s.roleSuffices(c, endpoint) {
		return nil
	}
	return s.notAccessible(c)
}

// roleSuffices is about personal tokens, which never exceed the person. Opening and reviewing pull
// requests and commenting is open to everyone who can read.
func (s *Server) roleSuffices(c *call, endpoint *route) bool {
	if c.token.Login == Bot || c.repo.canWrite(c.token.Login) {
		return true
	}
	everyone := slices.ContainsFunc(endpoint.needs, func(n need) bool { return n.level == Read || n.scope == "pull_requests" })
	return everyone && c.repo.role(c.token.Login) == Read
}

func (s *Server) notAccessible(c *call) *Refusal {
	if c.token.Login == Bot {
		return refuse(http.StatusForbidden, "Resource not accessible by integration")
	}
	return refuse(http.StatusForbidden, "Resource not accessible by personal access token")
}
