package github

import (
	"context"
	"net/http"
)

// me answers GET /user: the person a token belongs to. A workflow's token belongs to nobody and is told so.
func (s *Server) me(_ context.Context, c *call) (int, any, error) {
	switch {
	case c.token == nil:
		return 0, nil, refuse(http.StatusUnauthorized, "Requires authentication")
	case c.token.Login == Bot:
		return 0, nil, s.notAccessible(c)
	}
	u := s.state.Users[key(c.token.Login)]
	return 200, s.showUser(u).with(object{
		"user_view_type": "public", "name": u.Name, "company": nil, "blog": "", "location": nil, "email": u.Email, "hireable": nil, "bio": nil,
		"public_repos": 0, "public_gists": 0, "followers": 0, "following": 0,
		"created_at": stamp(s.now()), "updated_at": stamp(s.now()),
	}), nil
}
