package github

import "maps"

// repositoryLinks are the URL templates that every repository has, by key.
var repositoryLinks = map[string]string{
	"archive_url": "/{archive_format}{/ref}", "assignees_url": "/assignees{/user}", "blobs_url": "/git/blobs{/sha}",
	"branches_url": "/branches{/branch}", "collaborators_url": "/collaborators{/collaborator}", "comments_url": "/comments{/number}",
	"commits_url": "/commits{/sha}", "compare_url": "/compare/{base}...{head}", "contents_url": "/contents/{+path}",
	"contributors_url": "/contributors", "deployments_url": "/deployments", "downloads_url": "/downloads", "events_url": "/events",
	"forks_url": "/forks", "git_commits_url": "/git/commits{/sha}", "git_refs_url": "/git/refs{/sha}", "git_tags_url": "/git/tags{/sha}",
	"hooks_url": "/hooks", "issue_comment_url": "/issues/comments{/number}", "issue_events_url": "/issues/events{/number}",
	"issues_url": "/issues{/number}", "keys_url": "/keys{/key_id}", "labels_url": "/labels{/name}", "languages_url": "/languages",
	"merges_url": "/merges", "milestones_url": "/milestones{/number}", "notifications_url": "/notifications{?since,all,participating}",
	"pulls_url": "/pulls{/number}", "releases_url": "/releases{/id}", "stargazers_url": "/stargazers", "statuses_url": "/statuses/{sha}",
	"subscribers_url": "/subscribers", "subscription_url": "/subscription", "tags_url": "/tags", "teams_url": "/teams", "trees_url": "/git/trees{/sha}",
}

// apiURL and htmlURL are where a repository is for programs and for people.
func (s *Server) apiURL(repo *repository) string { return s.url + "/repos/" + repo.fullName() }

func (s *Server) htmlURL(repo *repository) string { return s.url + "/" + repo.fullName() }

// showRepository is what the API and the webhooks have in common.
func (s *Server) showRepository(repo *repository) object {
	open := 0
	for _, p := range repo.Pulls {
		if p.State == stateOpen {
			open++
		}
	}
	forks := 0
	for _, other := range s.state.Repos {
		if key(other.Parent) == key(repo.fullName()) {
			forks++
		}
	}
	html := s.htmlURL(repo)
	o := object{
		"id": repo.ID, "node_id": nodeID("Repository", repo.ID), "name": repo.Name, "full_name": repo.fullName(),
		"private": repo.Private, "owner": s.showLogin(repo.Owner), "html_url": html, "description": nil,
		"fork": repo.Parent != "", "url": s.apiURL(repo),
		"created_at": stamp(repo.CreatedAt), "updated_at": stamp(repo.PushedAt), "pushed_at": stamp(repo.PushedAt),
		"git_url": "git://" + html[len("http://"):] + ".git", "ssh_url": "git@" + html[len("http://"):] + ".git",
		"clone_url": html + ".git", "svn_url": html, "homepage": nil, "size": 0, "stargazers_count": 0, "watchers_count": 0,
		"language": nil, "has_issues": true, "has_projects": true, "has_downloads": true, "has_wiki": true, "has_pages": false,
		"forks_count": forks, "mirror_url": nil, "archived": false, "disabled": false, "open_issues_count": open, "license": nil,
		"forks": forks, "open_issues": open, "watchers": 0, "default_branch": repo.DefaultBranch,
		"visibility": repo.visibility(), "topics": []string{}, "is_template": false,
		"web_commit_signoff_required": false,
	}
	for name, suffix := range repositoryLinks {
		o[name] = s.apiURL(repo) + suffix
	}
	return o
}

func (repo *repository) visibility() string {
	if repo.Private {
		return "private"
	}
	return "public"
}

// showFullRepository adds what only GET /repos/{owner}/{repo} tells.
func (s *Server) showFullRepository(repo *repository, login string) object {
	o := s.showRepository(repo).with(object{
		"has_discussions": false, "subscribers_count": 0, "network_count": 0, "allow_forking": true,
		"allow_merge_commit": true, "allow_squash_merge": true, "allow_rebase_merge": true, "allow_auto_merge": false,
		"delete_branch_on_merge": false,
	})
	if login != "" {
		role := repo.role(login)
		o["permissions"] = object{
			"admin": role == Admin, "maintain": role == Admin, "push": repo.canWrite(login), "triage": repo.canWrite(login), "pull": true,
		}
	}
	if parent := s.state.Repos[key(repo.Parent)]; parent != nil {
		o["parent"], o["source"] = s.showRepository(parent), s.showRepository(parent)
	}
	return o
}

// showMinimalRepository is the form inside a combined status.
func (s *Server) showMinimalRepository(repo *repository) object {
	o := s.showRepository(repo)
	names := []string{"id", "node_id", "name", "full_name", "owner", "private", "html_url", "description", "fork", "url"}
	for name := range maps.Keys(repositoryLinks) {
		names = append(names, name)
	}
	return o.keep(names...)
}

// showPushRepository is the form in push payloads, which is GitHub's oldest: times are numbers.
func (s *Server) showPushRepository(repo *repository) object {
	owner := s.state.Users[key(repo.Owner)]
	return s.showRepository(repo).with(object{
		"url": s.htmlURL(repo), "created_at": repo.CreatedAt.Unix(), "pushed_at": repo.PushedAt.Unix(),
		"stargazers": 0, "master_branch": repo.DefaultBranch,
		"owner": s.showUser(owner).with(object{"name": owner.Login, "email": owner.Email}),
	})
}
