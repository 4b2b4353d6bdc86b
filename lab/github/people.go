package github

import (
	"fmt"
	"strings"
)

// Permissions of a person on a repository, from least to most.
const (
	Read  = "read"
	Write = "write"
	Admin = "admin"
)

// Bot is the login that a workflow's GITHUB_TOKEN acts as.
const Bot = "github-actions[bot]"

// botID is the id the real account has.
const botID = 41898282

// user is a person, an organization or the bot.
type user struct {
	ID    int64  `json:"id"`
	Login string `json:"login"`
	Name  string `json:"name"`
	Email string `json:"email"`
	Type  string `json:"type"` // User, Organization or Bot
}

func (s *Server) ensureBot() {
	s.state.Users[key(Bot)] = &user{
		ID: botID, Login: Bot, Name: Bot, Type: "Bot", Email: "41898282+github-actions[bot]@users.noreply.github.com",
	}
}

// AddUser makes a person. Commits whose author has this e-mail address are shown as theirs. Adding the
// same login again replaces name and address.
func (s *Server) AddUser(login, name, email string) error {
	if !validName(login) {
		return fmt.Errorf("adding user %q: a login has letters, digits and single hyphens only", login)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.ensureUser(login, "User")
	u.Name, u.Email = name, email
	return s.save()
}

// ensureUser finds the account or makes it with the given type.
func (s *Server) ensureUser(login, kind string) *user {
	if u := s.state.Users[key(login)]; u != nil {
		return u
	}
	u := &user{ID: s.newID(), Login: login, Name: login, Email: key(login) + "@users.noreply.github.com", Type: kind}
	s.state.Users[key(login)] = u
	return u
}

// userByEmail is the account a commit belongs to, or nil.
func (s *Server) userByEmail(email string) *user {
	for _, u := range s.state.Users {
		if strings.EqualFold(u.Email, email) {
			return u
		}
	}
	return nil
}

// Grant gives a person a permission (Read, Write or Admin) on the repository; "" takes it away.
func (r *Repository) Grant(login, permission string) error {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	repo, err := r.record()
	if err != nil {
		return err
	}
	if r.s.state.Users[key(login)] == nil {
		return fmt.Errorf("granting %q on %q: no such user, add it with AddUser", login, r.name)
	}
	switch permission {
	case "":
		delete(repo.Roles, key(login))
	case Read, Write, Admin:
		repo.Roles[key(login)] = permission
	default:
		return fmt.Errorf("granting %q on %q: unknown permission %q; valid are read, write, admin", login, r.name, permission)
	}
	return r.s.save()
}

// role is what a person may do: the owner is admin, a stranger reads what is public.
func (repo *repository) role(login string) string {
	if key(login) == key(repo.Owner) {
		return Admin
	}
	if role := repo.Roles[key(login)]; role != "" {
		return role
	}
	if repo.Private {
		return "none"
	}
	return Read
}

func (repo *repository) canWrite(login string) bool {
	role := repo.role(login)
	return role == Write || role == Admin
}

// association is the word GitHub shows beside a person's contribution.
func (repo *repository) association(login string) string {
	switch {
	case key(login) == key(repo.Owner):
		return "OWNER"
	case repo.Roles[key(login)] != "":
		return "COLLABORATOR"
	}
	for _, p := range repo.Pulls {
		if p.Merged && key(p.Author) == key(login) {
			return "CONTRIBUTOR"
		}
	}
	return "NONE"
}

// validName accepts what GitHub accepts as a login or an organization's name.
func validName(s string) bool {
	if s == "" || len(s) > 39 || strings.HasPrefix(s, "-") || strings.HasSuffix(s, "-") || strings.Contains(s, "--") {
		return false
	}
	return strings.Trim(strings.ToLower(s), "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}
