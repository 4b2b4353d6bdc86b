package github

import (
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// Throttle is a secondary rate limit, which GitHub puts on clients that ask too much at once.
type Throttle struct {
	// Requests is how many are refused before it is over.
	Requests int
	// Status is 403 or 429; GitHub uses both.
	Status int
	// RetryAfter is the number of seconds in the header of that name; negative leaves the header out, as GitHub sometimes does.
	RetryAfter int
}

// SetThrottle refuses the next requests of everybody.
func (s *Server) SetThrottle(t Throttle) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.throttle = t
}

// throttled refuses a request while a secondary limit lasts.
func (s *Server) throttled(c *call) error {
	if s.throttle.Requests <= 0 {
		return nil
	}
	s.throttle.Requests--
	if s.throttle.RetryAfter >= 0 {
		c.header.Set("Retry-After", strconv.Itoa(s.throttle.RetryAfter))
	}
	return &Refusal{
		Status:        s.throttle.Status,
		Message:       "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
		Documentation: "https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits",
	}
}

// SetRateLimit leaves a token n more requests before it is told that its hourly limit is used up, until the allowance is
// renewed in the given time from now.
func (s *Server) SetRateLimit(text string, n int, renewed time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.state.Tokens[digest(text)]
	if t == nil {
		return fmt.Errorf("setting a rate limit: no such token")
	}
	t.Remaining, t.Renewed = n, s.clock().Add(renewed)
	return s.save()
}

// spend takes one request from a token's allowance.
func (s *Server) spend(c *call) error {
	t := c.token
	if now := s.clock(); !t.Renewed.After(now) {
		t.Remaining, t.Renewed = hourly, now.Add(time.Hour)
	}
	if t.Remaining <= 0 {
		s.rate(c, hourly, 0, t.Renewed)
		return refuse(http.StatusForbidden, "API rate limit exceeded for installation.")
	}
	// A lab may run for longer than an hour: only an allowance that was set below the full one is used up.
	if t.Remaining < hourly {
		t.Remaining--
	}
	s.rate(c, hourly, t.Remaining, t.Renewed)
	return nil
}

func (s *Server) rate(c *call, limit, remaining int, renewed time.Time) {
	c.header.Set("X-RateLimit-Limit", strconv.Itoa(limit))
	c.header.Set("X-RateLimit-Remaining", strconv.Itoa(remaining))
	c.header.Set("X-RateLimit-Used", strconv.Itoa(limit-remaining))
	c.header.Set("X-RateLimit-Reset", strconv.FormatInt(renewed.Unix(), 10))
	c.header.Set("X-RateLimit-Resource", "core")
}
