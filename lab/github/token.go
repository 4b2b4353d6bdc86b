package github

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// token is what a credential may do. Tokens belong to one repository, as a workflow's GITHUB_TOKEN does.
type token struct {
	Login       string            `json:"login"`
	Repository  string            `json:"repository"`
	Permissions map[string]string `json:"permissions"`
	// Remaining is what is left of the hourly allowance until Renewed; it never runs out by itself in a lab.
	Remaining int       `json:"remaining"`
	Renewed   time.Time `json:"renewed"`
}

// hourly is the allowance of a GITHUB_TOKEN per repository and hour.
const hourly = 1000

// scopes are the permissions that the double knows, by the names the API uses.
var scopes = []string{"actions", "administration", "checks", "contents", "deployments", "issues", "metadata", "packages", "pull_requests", "statuses"}

// NewToken makes a token that acts as login on this repository with a workflow's `permissions:`
// (contents, statuses, pull_requests or pull-requests, deployments …: read or write). What is not
// named is not allowed, except that metadata can always be read. For login [Bot] it is an installation
// token; for a person it is a personal one, which can never do more than the person.
func (r *Repository) NewToken(login string, permissions map[string]string) (string, error) {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	repo, err := r.record()
	if err != nil {
		return "", err
	}
	account := r.s.state.Users[key(login)]
	if account == nil {
		return "", fmt.Errorf("making a token for %q: no such user, add it with AddUser", login)
	}
	granted := map[string]string{"metadata": Read}
	for _, name := range slices.Sorted(maps.Keys(permissions)) {
		scope, level := strings.ReplaceAll(name, "-", "_"), permissions[name]
		if !slices.Contains(scopes, scope) {
			return "", fmt.Errorf("making a token for %q: unknown permission %q; valid are %s", login, name, strings.Join(scopes, ", "))
		}
		switch level {
		case Read, Write:
			granted[scope] = level
		case "none":
		default:
			return "", fmt.Errorf("making a token for %q: permission %q is %q; valid are read, write, none", login, name, level)
		}
	}
	prefix := "github_pat_"
	if account.Type == "Bot" {
		prefix = "ghs_"
	}
	text := prefix + rand.Text() + rand.Text()
	r.s.state.Tokens[digest(text)] = &token{Login: account.Login, Repository: key(repo.fullName()), Permissions: granted, Remaining: hourly}
	return text, r.s.save()
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// permits says whether the token has the permission at the level; write includes read.
func (t *token) permits(n need) bool {
	have := t.Permissions[n.scope]
	return have == Write || have == n.level && have != ""
}
