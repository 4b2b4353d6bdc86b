package github

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Repository is a handle on one repository of the double.
type Repository struct {
	s    *Server
	name string
}

// RepositoryOptions are the settings of a new repository.
type RepositoryOptions struct {
	// Private hides it from everyone without a token of its own: they get 404.
	Private bool
	// DefaultBranch is "main" when empty.
	DefaultBranch string
}

// CreateRepository makes an empty repository "owner/name". An owner that is no user becomes an organization.
func (s *Server) CreateRepository(ctx context.Context, fullName string, o RepositoryOptions) (*Repository, error) {
	if o.DefaultBranch == "" {
		o.DefaultBranch = "main"
	}
	if !validBranch(o.DefaultBranch) {
		return nil, fmt.Errorf("creating repository %q: %q is no branch name", fullName, o.DefaultBranch)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	repo, err := s.addRepository(fullName, o)
	if err != nil {
		return nil, err
	}
	if err := initBare(ctx, s.gitPath(fullName), o.DefaultBranch); err != nil {
		delete(s.state.Repos, key(fullName))
		return nil, fmt.Errorf("creating repository %q: %w", fullName, err)
	}
	return &Repository{s: s, name: repo.fullName()}, s.save()
}

func (s *Server) addRepository(fullName string, o RepositoryOptions) (*repository, error) {
	owner, name, _ := strings.Cut(fullName, "/")
	if !validName(owner) || !validRepositoryName(name) {
		return nil, fmt.Errorf("creating repository %q: want owner/name, made of letters, digits and the signs - _ . alone", fullName)
	}
	if s.state.Repos[key(fullName)] != nil {
		return nil, fmt.Errorf("creating repository %q: it exists; open it with Repository", fullName)
	}
	account := s.ensureUser(owner, "Organization")
	repo := &repository{
		ID: s.newID(), Owner: account.Login, Name: name, Private: o.Private, DefaultBranch: o.DefaultBranch,
		CreatedAt: s.now(), PushedAt: s.now(), Roles: map[string]string{}, Announced: map[string]string{},
	}
	s.state.Repos[key(fullName)] = repo
	return repo, nil
}

func validRepositoryName(name string) bool {
	if name == "" || name == "." || name == ".." || len(name) > 100 || strings.HasSuffix(strings.ToLower(name), ".git") {
		return false
	}
	return strings.Trim(strings.ToLower(name), "abcdefghijklmnopqrstuvwxyz0123456789-_.") == ""
}

// Repository opens a repository that exists.
func (s *Server) Repository(fullName string) (*Repository, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	repo := s.state.Repos[key(fullName)]
	if repo == nil {
		return nil, fmt.Errorf("opening repository %q: no such repository, make it with CreateRepository", fullName)
	}
	return &Repository{s: s, name: repo.fullName()}, nil
}

// Fork copies the repository to another owner. A pull request from it has the head "owner:branch".
func (r *Repository) Fork(ctx context.Context, owner string) (*Repository, error) {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	parent, err := r.record()
	if err != nil {
		return nil, err
	}
	name := owner + "/" + parent.Name
	fork, err := r.s.addRepository(name, RepositoryOptions{Private: parent.Private, DefaultBranch: parent.DefaultBranch})
	if err != nil {
		return nil, err
	}
	fork.Parent = parent.fullName()
	path := r.s.gitPath(name)
	if err = initBare(ctx, path, parent.DefaultBranch); err == nil {
		_, err = gitDir(path).run(ctx, nil, "fetch", "--quiet", r.Path(), "+refs/heads/*:refs/heads/*")
	}
	if err == nil {
		fork.Announced, err = gitDir(path).branches(ctx)
	}
	if err != nil {
		delete(r.s.state.Repos, key(name))
		return nil, errors.Join(fmt.Errorf("forking %q to %q: %w", r.name, owner, err), os.RemoveAll(path))
	}
	return &Repository{s: r.s, name: fork.fullName()}, r.s.save()
}

// Name is the full name, "owner/name".
func (r *Repository) Name() string { return r.name }

// Path is the bare repository's folder: what to `git push` to and `git clone` from.
func (r *Repository) Path() string { return filepath.Clean(r.s.gitPath(r.name)) }

// record is the stored part; the caller holds the lock.
func (r *Repository) record() (*repository, error) {
	repo := r.s.state.Repos[key(r.name)]
	if repo == nil {
		return nil, fmt.Errorf("opening repository %q: it is gone", r.name)
	}
	return repo, nil
}

// getRepository answers GET /repos/{owner}/{repo}.
func (s *Server) getRepository(_ context.Context, c *call) (int, any, error) {
	return 200, s.showFullRepository(c.repo, c.login()), nil
}

// getPermission answers GET /repos/{owner}/{repo}/collaborators/{username}/permission.
func (s *Server) getPermission(_ context.Context, c *call) (int, any, error) {
	person := s.state.Users[key(c.params["username"])]
	if person == nil {
		return 0, nil, notFound()
	}
	role := c.repo.role(person.Login)
	shown := s.showUser(person)
	shown["role_name"] = role
	return 200, object{"permission": role, "role_name": role, "user": shown}, nil
}
