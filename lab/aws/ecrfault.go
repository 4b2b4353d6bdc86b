package aws

import (
	"context"
	"sync"
)

// ExpireTokens ends all logins that were given so far, after n more requests to the registry; 0 is at once.
func (s *Server) ExpireTokens(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ecr.countdown = n; n == 0 {
		s.endTokens()
	}
}

// RefuseOverAs401 makes the registry answer 401 to a login that is over, as it does to one that it does not know.
func (s *Server) RefuseOverAs401(yes bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ecr.unknown = yes
}

// ThrottleImages tells the next n images that are put to come later
// (https://docs.aws.amazon.com/AmazonECR/latest/userguide/service-quotas.html: 10 PutImage a second).
func (s *Server) ThrottleImages(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ecr.busy = n
}

func (s *Server) endTokens() {
	for password, token := range s.ecr.tokens {
		token.expires = s.clock()
		s.ecr.tokens[password] = token
	}
}

// TagsRefused counts the writes of tags that could not move.
func (s *Server) TagsRefused() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ecr.refused
}

// gate holds writers back until all have come.
type gate struct {
	missing int
	open    chan struct{}
}

// HoldTags lets the next n writes of tags wait for one another, so that each writer has looked at the registry before any of
// them writes. The function that it returns lets go those that still wait; it must be called.
func (s *Server) HoldTags(n int) (letGo func()) {
	g := &gate{missing: n, open: make(chan struct{})}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ecr.gate = g
	return sync.OnceFunc(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if g.missing > 0 {
			close(g.open)
		}
		s.ecr.gate = nil
	})
}

// pass waits at the gate, if there is one.
func (s *Server) pass(ctx context.Context) {
	s.mu.Lock()
	g := s.ecr.gate
	if g != nil && g.missing > 0 {
		if g.missing--; g.missing == 0 {
			close(g.open)
		}
	}
	s.mu.Unlock()
	if g == nil {
		return
	}
	select {
	case <-g.open:
	case <-ctx.Done():
	}
}
