package github

import (
	"context"
	"fmt"
)

// noCommitSHA stands in a push payload for a branch that was not there before, or is no longer.
const noCommitSHA = "0000000000000000000000000000000000000000"

// maxPushCommits is how many commits GitHub lists in one push payload.
const maxPushCommits = 2048

// pushEvent announces that a branch moved.
func (s *Server) pushEvent(ctx context.Context, repo *repository, branch, before, after, by string) (Event, error) {
	created, deleted := before == noCommitSHA, after == noCommitSHA
	commits, forced, err := s.pushedCommits(ctx, repo, branch, before, after)
	if err != nil {
		return Event{}, err
	}
	list, err := s.showPushCommits(ctx, repo, commits)
	if err != nil {
		return Event{}, err
	}
	var head any
	if !deleted {
		if head, err = s.showHeadCommit(ctx, repo, after); err != nil {
			return Event{}, err
		}
	}
	compare := s.htmlURL(repo) + "/compare/" + escape(branch)
	if !created && !deleted {
		compare = fmt.Sprintf("%s/compare/%s...%s", s.htmlURL(repo), before[:12], after[:12])
	}
	repo.PushedAt = s.now()
	if repo.Announced[branch] = after; deleted {
		delete(repo.Announced, branch)
	}
	pusher := s.state.Users[key(by)]
	return s.emit("push", object{
		"ref": "refs/heads/" + branch, "before": before, "after": after, "created": created, "deleted": deleted, "forced": forced,
		"base_ref": nil, "compare": compare, "commits": list, "head_commit": head,
		"repository": s.showPushRepository(repo), "pusher": object{"name": pusher.Login, "email": pusher.Email}, "sender": s.showUser(pusher),
	})
}

// pushedCommits are the commits that a push brought, oldest first, and whether it rewrote the branch.
func (s *Server) pushedCommits(ctx context.Context, repo *repository, branch, before, after string) ([]commit, bool, error) {
	git := s.git(repo)
	if after == noCommitSHA {
		return nil, false, nil
	}
	known, forced := before, false
	if before == noCommitSHA {
		// A new branch brings the commits that the default branch does not have.
		var err error
		if known, err = git.refSHA(ctx, "refs/heads/"+repo.DefaultBranch); err != nil {
			return nil, false, err
		}
	} else {
		kept, err := git.isAncestor(ctx, before, after)
		if err != nil {
			return nil, false, err
		}
		forced = !kept
	}
	args := []string{"--reverse", after}
	if known != "" && branch != repo.DefaultBranch || before != noCommitSHA {
		args = append(args, "--not", known)
	}
	commits, err := git.commits(ctx, args...)
	if len(commits) > maxPushCommits {
		commits = commits[len(commits)-maxPushCommits:]
	}
	return commits, forced, err
}

func (s *Server) showPushCommits(ctx context.Context, repo *repository, commits []commit) ([]object, error) {
	list := []object{}
	for _, k := range commits {
		o, err := s.showPushCommit(ctx, repo, k)
		if err != nil {
			return nil, err
		}
		list = append(list, o)
	}
	return list, nil
}

func (s *Server) showHeadCommit(ctx context.Context, repo *repository, sha string) (object, error) {
	k, err := s.git(repo).commit(ctx, sha)
	if err != nil {
		return nil, err
	}
	return s.showPushCommit(ctx, repo, k)
}

// showPushCommit is the form in push payloads, with the files by what happened to them.
func (s *Server) showPushCommit(ctx context.Context, repo *repository, k commit) (object, error) {
	files, err := s.git(repo).changes(ctx, k)
	if err != nil {
		return nil, err
	}
	touched := map[string][]string{"added": {}, "removed": {}, "modified": {}}
	for _, f := range files {
		switch f.Status {
		case "added", "copied":
			touched["added"] = append(touched["added"], f.Path)
		case "removed":
			touched["removed"] = append(touched["removed"], f.Path)
		case "renamed":
			touched["added"], touched["removed"] = append(touched["added"], f.Path), append(touched["removed"], f.Old)
		default:
			touched["modified"] = append(touched["modified"], f.Path)
		}
	}
	return object{
		"id": k.SHA, "tree_id": k.Tree, "distinct": true, "message": k.Message, "timestamp": k.Committer.Date.Format("2006-01-02T15:04:05Z07:00"),
		"url":    s.htmlURL(repo) + "/commit/" + k.SHA,
		"author": s.showPusher(k.Author), "committer": s.showPusher(k.Committer),
		"added": touched["added"], "removed": touched["removed"], "modified": touched["modified"],
	}, nil
}

// showPusher is a commit's person with the login of the account, where there is one.
func (s *Server) showPusher(p person) object {
	o := object{"name": p.Name, "email": p.Email}
	if u := s.userByEmail(p.Email); u != nil {
		o["username"] = u.Login
	}
	return o
}
