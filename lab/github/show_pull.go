package github

import (
	"context"
	"fmt"
)

// fullPullOnly are the keys that a pull request has on its own but not in a list.
var fullPullOnly = []string{
	"merged", "mergeable", "rebaseable", "mergeable_state", "merged_by", "comments", "review_comments",
	"maintainer_can_modify", "commits", "additions", "deletions", "changed_files",
}

// showSimplePulls is the form in lists.
func (s *Server) showSimplePulls(ctx context.Context, repo *repository, pulls []*PullRequest) ([]object, error) {
	shown := []object{}
	for _, p := range pulls {
		o, err := s.showPull(ctx, repo, p)
		if err != nil {
			return nil, err
		}
		shown = append(shown, o.without(fullPullOnly...))
	}
	return shown, nil
}

// showPull is the whole form.
func (s *Server) showPull(ctx context.Context, repo *repository, p *PullRequest) (object, error) {
	if p.State == stateOpen {
		if err := s.tryMerge(ctx, repo, p); err != nil {
			return nil, err
		}
	}
	commits, err := s.pullCommits(ctx, repo, p)
	if err != nil {
		return nil, err
	}
	files, err := s.pullFiles(ctx, repo, p)
	if err != nil {
		return nil, err
	}
	added, deleted := total(files)
	comments := 0
	for _, k := range repo.Comments {
		if k.Number == p.Number {
			comments++
		}
	}
	o := s.showPullLinks(repo, p).with(object{
		"id": p.ID, "node_id": nodeID("PullRequest", p.ID), "number": p.Number, "state": p.State, "locked": false,
		"title": p.Title, "user": s.showLogin(p.Author), "body": orNull(p.Body), "labels": []object{}, "milestone": nil,
		"created_at": stamp(p.CreatedAt), "updated_at": stamp(p.UpdatedAt),
		"closed_at": stampOrNull(p.ClosedAt), "merged_at": stampOrNull(p.MergedAt),
		"assignee": nil, "assignees": []object{}, "requested_reviewers": []object{}, "requested_teams": []object{},
		"head": s.showSide(s.state.Repos[key(p.HeadRepo)], p.HeadRef, p.Head), "base": s.showSide(repo, p.BaseRef, p.Base),
		"author_association": repo.association(p.Author), "auto_merge": nil, "active_lock_reason": nil, "draft": p.Draft,
		"merged": p.Merged, "merged_by": s.showLogin(p.MergedBy), "comments": comments, "review_comments": 0,
		"maintainer_can_modify": false, "commits": len(commits),
		"additions": added, "deletions": deleted, "changed_files": len(files),
	})
	return o.with(showMergeability(p)), nil
}

// showMergeability is what is known of the merge that was made, or of the one that would be.
func showMergeability(p *PullRequest) object {
	o := object{"mergeable": nil, "rebaseable": nil, "mergeable_state": "unknown", "merge_commit_sha": orNull(p.MergeSHA)}
	if p.State != stateOpen {
		return o
	}
	clean := p.Trial.Merge != ""
	o["mergeable"], o["rebaseable"], o["merge_commit_sha"] = clean, clean, orNull(p.Trial.Merge)
	switch {
	case !clean:
		o["mergeable_state"] = "dirty"
	case p.Draft:
		o["mergeable_state"] = "draft"
	default:
		o["mergeable_state"] = "clean"
	}
	return o
}

// showSide is one end of a pull request.
func (s *Server) showSide(repo *repository, ref, sha string) object {
	return object{
		"label": repo.Owner + ":" + ref, "ref": ref, "sha": sha, "user": s.showLogin(repo.Owner), "repo": s.showRepository(repo),
	}
}

func (s *Server) showPullLinks(repo *repository, p *PullRequest) object {
	api, html := s.pullURLs(repo, p)
	issue := fmt.Sprintf("%s/issues/%d", s.apiURL(repo), p.Number)
	o := object{
		"url": api, "html_url": html, "diff_url": html + ".diff", "patch_url": html + ".patch", "issue_url": issue,
		"commits_url": api + "/commits", "review_comments_url": api + "/comments",
		"review_comment_url": s.apiURL(repo) + "/pulls/comments{/number}", "comments_url": issue + "/comments",
		"statuses_url": s.apiURL(repo) + "/statuses/" + p.Head,
	}
	links := object{"self": link(api), "html": link(html), "issue": link(issue)}
	for _, name := range []string{"comments", "review_comments", "review_comment", "commits", "statuses"} {
		links[name] = link(o[name+"_url"].(string))
	}
	o["_links"] = links
	return o
}

func (s *Server) pullURLs(repo *repository, p *PullRequest) (api, html string) {
	return fmt.Sprintf("%s/pulls/%d", s.apiURL(repo), p.Number), fmt.Sprintf("%s/pull/%d", s.htmlURL(repo), p.Number)
}

func link(href string) object { return object{"href": href} }
