package github

import (
	"encoding/json"
	"os"
	"testing"

	gogithub "github.com/google/go-github/v84/github"
)

// parse reads a payload as go-github does.
func parse[T any](t *testing.T, e Event) *T {
	t.Helper()
	payload := new(T)
	check(t, json.Unmarshal(e.Payload, payload))
	return payload
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	check(t, err)
	return string(data)
}

func TestEvents(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	first := w.git("rev-parse", "main")

	t.Run("a first push creates its branch", func(t *testing.T) {
		w.feature("feature")
		all := w.server.Events()
		got := parse[gogithub.PushEvent](t, all[len(all)-1])
		if !got.GetCreated() || got.GetBefore() != noCommitSHA || got.GetRef() != "refs/heads/feature" || len(got.Commits) != 1 || got.Commits[0].Added[0] != "feature.txt" {
			t.Errorf("got %s", all[len(all)-1].Payload)
		}
	})
	p, opened, err := w.repo.OpenPullRequest(ctx, "feature", "main", "Add feature", "ada")
	check(t, err)
	t.Run("opened names the head", func(t *testing.T) {
		got := parse[gogithub.PullRequestEvent](t, opened)
		if opened.Name != "pull_request" || got.GetAction() != "opened" || got.GetNumber() != p.Number || got.GetPullRequest().GetHead().GetSHA() != p.Head || got.GetPullRequest().MergeCommitSHA != nil {
			t.Errorf("got %s", opened.Payload)
		}
	})
	t.Run("a push to its branch is a push and a synchronize", func(t *testing.T) {
		w.git("checkout", "--quiet", "feature")
		head := w.commit("ada", "more.txt", "more\n", "More")
		events := w.push("feature")
		w.git("checkout", "--quiet", "main")
		if len(events) != 2 {
			t.Fatalf("got %d events", len(events))
		}
		push, sync := parse[gogithub.PushEvent](t, events[0]), parse[gogithub.PullRequestEvent](t, events[1])
		if push.GetBefore() != p.Head || push.GetAfter() != head || push.GetForced() || push.GetHeadCommit().GetID() != head {
			t.Errorf("got %s", events[0].Payload)
		}
		if sync.GetAction() != "synchronize" || sync.GetBefore() != p.Head || sync.GetAfter() != head || sync.GetPullRequest().GetHead().GetSHA() != head {
			t.Errorf("got %s", events[1].Payload)
		}
		p.Head = head
	})
	t.Run("nothing new is nothing to announce", func(t *testing.T) {
		if _, err := w.repo.PushBranch(ctx, "feature", "ada"); err == nil {
			t.Error("an event was made")
		}
	})
	t.Run("an approval says so in lower case, with the number that act needs", func(t *testing.T) {
		event, err := w.repo.Approve(ctx, p.Number, "grace")
		check(t, err)
		got := parse[gogithub.PullRequestReviewEvent](t, event)
		if event.Name != "pull_request_review" || got.GetAction() != "submitted" || got.GetReview().GetState() != "approved" || got.GetReview().GetCommitID() != p.Head {
			t.Errorf("got %s", event.Payload)
		}
		if number := parse[struct{ Number int }](t, event).Number; number != p.Number {
			t.Errorf("number is %d", number)
		}
		if _, err := w.repo.Approve(ctx, p.Number, "ada"); err == nil {
			t.Error("the author approved")
		}
	})
	t.Run("a merge closes the pull request and pushes main", func(t *testing.T) {
		merged, err := w.repo.Merge(ctx, p.Number, Squash, "grace")
		check(t, err)
		closed, push := parse[gogithub.PullRequestEvent](t, merged.Closed), parse[gogithub.PushEvent](t, merged.Push)
		if closed.GetAction() != "closed" || !closed.GetPullRequest().GetMerged() || closed.GetPullRequest().GetMergeCommitSHA() != merged.SHA || closed.GetPullRequest().GetMergedBy().GetLogin() != "grace" {
			t.Errorf("got %s", merged.Closed.Payload)
		}
		if push.GetRef() != "refs/heads/main" || push.GetBefore() != first || push.GetAfter() != merged.SHA || push.GetPusher().GetName() != "grace" || len(push.Commits) != 1 {
			t.Errorf("got %s", merged.Push.Payload)
		}
	})
	t.Run("a rewritten branch is forced, a deleted one has no head", func(t *testing.T) {
		w.git("checkout", "--quiet", "-B", "feature", first)
		w.commit("ada", "again.txt", "x\n", "Again")
		if got := parse[gogithub.PushEvent](t, w.push("feature")[0]); !got.GetForced() {
			t.Errorf("got %v", got)
		}
		w.git("push", "--quiet", "origin", "--delete", "feature")
		events, err := w.repo.PushBranch(ctx, "feature", "ada")
		check(t, err)
		if got := parse[gogithub.PushEvent](t, events[0]); !got.GetDeleted() || got.GetAfter() != noCommitSHA || got.HeadCommit != nil {
			t.Errorf("got %s", events[0].Payload)
		}
	})
	t.Run("closing says closed and not merged", func(t *testing.T) {
		q := w.pull("second")
		event, err := w.repo.ClosePullRequest(ctx, q.Number, "ada")
		check(t, err)
		if got := parse[gogithub.PullRequestEvent](t, event); got.GetAction() != "closed" || got.GetPullRequest().GetMerged() {
			t.Errorf("got %s", event.Payload)
		}
	})
}
