package github

import (
	"encoding/base64"
	"fmt"
	"maps"
	"time"
)

// How things look in JSON. The rules: a key stands in an answer only when GitHub's description has it for
// that answer; what the double does not know is null or empty, as GitHub has it for a plain repository;
// every URL is this server's own, so that nothing in a lab ever points outside.

// object is one JSON object.
type object map[string]any

// with is a copy of o that has more as well.
func (o object) with(more object) object {
	both := maps.Clone(o)
	maps.Copy(both, more)
	return both
}

// keep is o with only the named keys.
func (o object) keep(names ...string) object {
	kept := object{}
	for _, name := range names {
		if value, ok := o[name]; ok {
			kept[name] = value
		}
	}
	return kept
}

// without is o but for the named keys.
func (o object) without(names ...string) object {
	rest := maps.Clone(o)
	for _, name := range names {
		delete(rest, name)
	}
	return rest
}

func nodeID(kind string, id any) string {
	return base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%03d:%s%v", len(kind), kind, id))
}

// orNull is the text, or null when there is none.
func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// stamp is a time as GitHub writes it.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// stampOrNull is for what has perhaps not happened yet.
func stampOrNull(t *time.Time) any {
	if t == nil {
		return nil
	}
	return stamp(*t)
}

func (s *Server) showUser(u *user) object {
	api := s.url + "/users/" + escape(u.Login)
	return object{
		"login": u.Login, "id": u.ID, "node_id": nodeID("User", u.ID), "type": u.Type, "site_admin": false,
		"avatar_url": fmt.Sprintf("%s/avatars/u/%d?v=4", s.url, u.ID), "gravatar_id": "",
		"url": api, "html_url": s.url + "/" + escape(u.Login),
		"followers_url":       api + "/followers",
		"following_url":       api + "/following{/other_user}",
		"gists_url":           api + "/gists{/gist_id}",
		"starred_url":         api + "/starred{/owner}{/repo}",
		"subscriptions_url":   api + "/subscriptions",
		"organizations_url":   api + "/orgs",
		"repos_url":           api + "/repos",
		"events_url":          api + "/events{/privacy}",
		"received_events_url": api + "/received_events",
	}
}

// showLogin is the account of that login, or null for one that does not exist.
func (s *Server) showLogin(login string) any {
	if u := s.state.Users[key(login)]; u != nil {
		return s.showUser(u)
	}
	return nil
}
