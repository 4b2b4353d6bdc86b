package github

import "fmt"

// unsigned is how GitHub describes a commit without a signature.
func unsigned() object {
	return object{"verified": false, "reason": "unsigned", "signature": nil, "payload": nil, "verified_at": nil}
}

func showPerson(p person) object {
	return object{"name": p.Name, "email": p.Email, "date": stamp(p.Date)}
}

// accountOf is the account whose e-mail address the commit has, or null.
func (s *Server) accountOf(p person) any {
	if u := s.userByEmail(p.Email); u != nil {
		return s.showUser(u)
	}
	return nil
}

// showGitCommit is the form under git/commits: what git itself knows.
func (s *Server) showGitCommit(repo *repository, c commit) object {
	api, html := s.apiURL(repo), s.htmlURL(repo)
	parents := []object{}
	for _, sha := range c.Parents {
		parents = append(parents, object{"sha": sha, "url": api + "/git/commits/" + sha, "html_url": html + "/commit/" + sha})
	}
	return object{
		"sha": c.SHA, "node_id": nodeID("Commit", c.SHA), "url": api + "/git/commits/" + c.SHA, "html_url": html + "/commit/" + c.SHA,
		"author": showPerson(c.Author), "committer": showPerson(c.Committer), "message": c.Message,
		"tree":    object{"sha": c.Tree, "url": api + "/git/trees/" + c.Tree},
		"parents": parents, "verification": unsigned(),
	}
}

// showCommit is the form everywhere else, with the accounts behind author and committer.
func (s *Server) showCommit(repo *repository, c commit) object {
	api, html := s.apiURL(repo), s.htmlURL(repo)
	parents := []object{}
	for _, sha := range c.Parents {
		parents = append(parents, object{"sha": sha, "url": api + "/commits/" + sha, "html_url": html + "/commit/" + sha})
	}
	return object{
		"sha": c.SHA, "node_id": nodeID("Commit", c.SHA), "url": api + "/commits/" + c.SHA, "html_url": html + "/commit/" + c.SHA,
		"comments_url": api + "/commits/" + c.SHA + "/comments",
		"commit": object{
			"url": api + "/git/commits/" + c.SHA, "author": showPerson(c.Author), "committer": showPerson(c.Committer),
			"message": c.Message, "comment_count": 0, "verification": unsigned(),
			"tree": object{"sha": c.Tree, "url": api + "/git/trees/" + c.Tree},
		},
		"author": s.accountOf(c.Author), "committer": s.accountOf(c.Committer), "parents": parents,
	}
}

func (s *Server) showCommits(repo *repository, all []commit) []object {
	shown := []object{}
	for _, c := range all {
		shown = append(shown, s.showCommit(repo, c))
	}
	return shown
}

// showFiles is a list of changed files at a commit.
func (s *Server) showFiles(repo *repository, sha string, files []file) []object {
	shown := []object{}
	for _, f := range files {
		path := escape(f.Path)
		o := object{
			"sha": f.Blob, "filename": f.Path, "status": f.Status, "additions": f.Added, "deletions": f.Deleted, "changes": f.Added + f.Deleted,
			"blob_url":     fmt.Sprintf("%s/blob/%s/%s", s.htmlURL(repo), sha, path),
			"raw_url":      fmt.Sprintf("%s/raw/%s/%s", s.htmlURL(repo), sha, path),
			"contents_url": fmt.Sprintf("%s/contents/%s?ref=%s", s.apiURL(repo), path, sha),
		}
		if f.Old != "" {
			o["previous_filename"] = f.Old
		}
		shown = append(shown, o)
	}
	return shown
}

// total sums up what a set of files changed.
func total(files []file) (added, deleted int) {
	for _, f := range files {
		added += f.Added
		deleted += f.Deleted
	}
	return added, deleted
}
