package github

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// GitHub's page sizes: what you get unasked, and the most you get however much you ask.
const (
	defaultPage = 30
	largestPage = 100
)

// paginate cuts the page that the request asks for out of all and sets the Link header.
func paginate[T any](s *Server, c *call, all []T) []T {
	size := positive(c.request.URL.Query().Get("per_page"), defaultPage)
	if size > largestPage {
		size = largestPage
	}
	page := positive(c.request.URL.Query().Get("page"), 1)
	last := max(1, (len(all)+size-1)/size)
	if links := s.links(c.request, page, last); links != "" {
		c.header.Set("Link", links)
	}
	from := min((page-1)*size, len(all))
	return all[from:min(from+size, len(all))]
}

func (s *Server) links(r *http.Request, page, last int) string {
	var parts []string
	link := func(n int, rel string) {
		query := r.URL.Query()
		query.Set("page", strconv.Itoa(n))
		parts = append(parts, fmt.Sprintf("<%s%s?%s>; rel=%q", s.url, r.URL.EscapedPath(), query.Encode(), rel))
	}
	if page > 1 {
		link(min(page-1, last), "prev")
	}
	if page < last {
		link(page+1, "next")
		link(last, "last")
	}
	if page > 1 {
		link(1, "first")
	}
	return strings.Join(parts, ", ")
}

// positive reads a positive number; GitHub takes anything else for the default.
func positive(text string, fallback int) int {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return fallback
	}
	return n
}

// escape makes a name safe inside a URL's path, keeping the slashes that branch names have.
func escape(name string) string {
	return strings.ReplaceAll(url.PathEscape(name), "%2F", "/")
}
