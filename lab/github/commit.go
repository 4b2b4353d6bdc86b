package github

import (
	"context"
	"net/http"
	"strings"
)

// getGitCommit answers GET git/commits/{commit_sha}: one commit by its full SHA.
func (s *Server) getGitCommit(ctx context.Context, c *call) (int, any, error) {
	sha := c.params["commit_sha"]
	if !fullSHA.MatchString(sha) {
		return 0, nil, refuse(http.StatusUnprocessableEntity, "The sha parameter must be exactly 40 characters and contain only [0-9a-f].")
	}
	found, err := s.git(c.repo).refSHA(ctx, sha)
	if err != nil || found == "" {
		return 0, nil, orRefuse(err, notFound())
	}
	got, err := s.git(c.repo).commit(ctx, found)
	return 200, s.showGitCommit(c.repo, got), err
}

// getCommit answers GET commits/{ref}, also as the bare SHA for the media type application/vnd.github.sha.
func (s *Server) getCommit(ctx context.Context, c *call) (int, any, error) {
	got, err := s.commitOf(ctx, c.repo, c.params["ref"])
	if err != nil {
		return 0, nil, err
	}
	if accept := c.request.Header.Get("Accept"); strings.Contains(accept, "application/vnd.github.v3.sha") || strings.Contains(accept, "application/vnd.github.sha") {
		return 200, raw(got.SHA), nil
	}
	files, err := s.git(c.repo).changes(ctx, got)
	if err != nil {
		return 0, nil, err
	}
	added, deleted := total(files)
	return 200, s.showCommit(c.repo, got).with(object{
		"stats": object{"total": added + deleted, "additions": added, "deletions": deleted},
		"files": s.showFiles(c.repo, got.SHA, files),
	}), nil
}

// commitOf reads the commit a ref means, or refuses as GitHub does.
func (s *Server) commitOf(ctx context.Context, repo *repository, ref string) (commit, error) {
	sha, err := s.git(repo).resolve(ctx, ref)
	if err != nil || sha == "" {
		return commit{}, orRefuse(err, noCommit(ref))
	}
	return s.git(repo).commit(ctx, sha)
}

// listCommits answers GET commits: the history of `sha` (a ref; the default branch unasked), newest first.
func (s *Server) listCommits(ctx context.Context, c *call) (int, any, error) {
	ref := c.request.URL.Query().Get("sha")
	if ref == "" {
		ref = c.repo.DefaultBranch
	}
	sha, err := s.git(c.repo).resolve(ctx, ref)
	if err != nil || sha == "" {
		return 0, nil, orRefuse(err, notFound())
	}
	args := []string{sha}
	if path := c.request.URL.Query().Get("path"); path != "" {
		args = append(args, "--", path)
	}
	all, err := s.git(c.repo).commits(ctx, args...)
	return 200, s.showCommits(c.repo, paginate(s, c, all)), err
}

// getBranch answers GET branches/{branch}.
func (s *Server) getBranch(ctx context.Context, c *call) (int, any, error) {
	name := c.params["branch"]
	sha, err := s.git(c.repo).refSHA(ctx, "refs/heads/"+name)
	if err != nil || sha == "" {
		return 0, nil, orRefuse(err, refuse(http.StatusNotFound, "Branch not found"))
	}
	tip, err := s.git(c.repo).commit(ctx, sha)
	if err != nil {
		return 0, nil, err
	}
	self := s.apiURL(c.repo) + "/branches/" + escape(name)
	return 200, object{
		"name": name, "commit": s.showCommit(c.repo, tip), "protected": c.repo.Rules[name].any(),
		"_links":         object{"self": self, "html": s.htmlURL(c.repo) + "/tree/" + escape(name)},
		"protection":     c.repo.Rules[name].showProtection(),
		"protection_url": self + "/protection",
	}, nil
}

// getRef answers GET git/ref/{ref}, where ref is heads/x or tags/x.
func (s *Server) getRef(ctx context.Context, c *call) (int, any, error) {
	name := "refs/" + c.params["ref"]
	if !validBranch(name) {
		return 0, nil, notFound()
	}
	git := s.git(c.repo)
	out, err := git.run(ctx, nil, "for-each-ref", "--format=%(refname) %(objecttype) %(objectname)", name)
	if err != nil {
		return 0, nil, err
	}
	for line := range strings.Lines(out) {
		// for-each-ref also lists what is below a folder of that name; only the exact one counts.
		f := strings.Fields(line)
		if len(f) == 3 && f[0] == name {
			return 200, object{
				"ref": name, "node_id": nodeID("Ref", name), "url": s.apiURL(c.repo) + "/git/" + escape(name),
				"object": object{"type": f[1], "sha": f[2], "url": s.apiURL(c.repo) + "/git/" + f[1] + "s/" + f[2]},
			}, nil
		}
	}
	return 0, nil, notFound()
}

// getTree answers GET git/trees/{tree_sha}, where a commit or a branch is taken for its tree.
func (s *Server) getTree(ctx context.Context, c *call) (int, any, error) {
	git, name := s.git(c.repo), c.params["tree_sha"]
	if !fullSHA.MatchString(name) {
		sha, err := git.resolve(ctx, name)
		if err != nil || sha == "" {
			return 0, nil, orRefuse(err, notFound())
		}
		name = sha
	}
	tree, err := git.run(ctx, nil, "rev-parse", "--verify", "--quiet", "--end-of-options", name+"^{tree}")
	if err != nil {
		return 0, nil, notFound()
	}
	sha := strings.TrimSpace(tree)
	args := []string{"ls-tree", "-z", "--long", "--full-tree"}
	if c.request.URL.Query().Has("recursive") {
		args = append(args, "-r", "-t")
	}
	out, err := git.run(ctx, nil, append(args, sha)...)
	entries := []object{}
	for record := range strings.SplitSeq(strings.TrimSuffix(out, "\x00"), "\x00") {
		if head, path, ok := strings.Cut(record, "\t"); ok {
			entries = append(entries, s.showTreeEntry(c.repo, strings.Fields(head), path))
		}
	}
	return 200, object{"sha": sha, "url": s.apiURL(c.repo) + "/git/trees/" + sha, "truncated": false, "tree": entries}, err
}

// showTreeEntry renders one line of ls-tree: mode, type, SHA and size, which is "-" for a tree.
func (s *Server) showTreeEntry(repo *repository, f []string, path string) object {
	entry := object{"path": path, "mode": f[0], "type": f[1], "sha": f[2]}
	if f[1] != "commit" {
		entry["url"] = s.apiURL(repo) + "/git/" + f[1] + "s/" + f[2]
	}
	if f[1] == "blob" {
		entry["size"] = positive(f[3], 0)
	}
	return entry
}

// orRefuse is the double's own fault if there was one, and the refusal if not.
func orRefuse(err error, no *Refusal) error {
	if err != nil {
		return err
	}
	return no
}
