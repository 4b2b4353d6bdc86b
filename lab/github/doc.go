// Package github is a double of GitHub's REST API over REAL bare git repositories.
//
// It exists because GitHub itself cannot run on one machine. Commits, trees and the merge, squash and
// rebase merges are made by git; pull requests, reviews, statuses, deployments and comments live in
// memory and in one JSON file beside the repositories. Commits arrive by an ordinary
// `git push` to [Repository.Path].
//
// It refuses what GitHub refuses: an unknown token (401), a token without the needed permission (403
// "Resource not accessible by integration"), what the caller may not see (404), a request that breaks a
// rule (422, for example a status description over 140 characters or the approval of one's own pull
// request), a merge that cannot be made (405) and one whose head moved (409). An endpoint it does not
// have answers 501, never 404: a caller must not mistake "the double lacks it" for "it does not exist".
// Every request and answer of its tests is checked against GitHub's published OpenAPI description.
//
// The functions that change something also return the webhook payload GitHub would send, so that a
// runner can be started with it:
//
//	server, err := github.Start(ctx, github.Options{Dir: dir, Listen: "127.0.0.1:0"})
//	server.AddUser("ada", "Ada", "ada@example.com")
//	server.AddUser("grace", "Grace", "grace@example.com")
//	repo, err := server.CreateRepository(ctx, "acme/checkout", github.RepositoryOptions{Private: true})
//	repo.Grant("ada", github.Write)
//	repo.Grant("grace", github.Write)
//	// git push <repo.Path()> main feature
//	pull, opened, err := repo.OpenPullRequest(ctx, "feature", "main", "Faster checkout", "ada")
//	review, err := repo.Approve(ctx, pull.Number, "grace")
//	merged, err := repo.Merge(ctx, pull.Number, github.Squash, "grace")
//	// merged.SHA, merged.Push and merged.Closed
package github
