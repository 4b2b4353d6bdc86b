package github

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/org/promote/pkg/change"
	promote "github.com/org/promote/pkg/github"
)

// settle is how long a test waits for the double's index, which lags only when told to.
const settle = 700 * time.Millisecond

// promote is the suite's own client, on a token with exactly these permissions.
func (w *world) promote(permissions map[string]string) *promote.Client {
	w.t.Helper()
	token, err := w.repo.NewToken(Bot, permissions)
	check(w.t, err)
	c, err := promote.New(promote.Config{APIURL: w.server.URL(), Token: token, Repository: w.repo.Name(), Settle: settle})
	check(w.t, err)
	return c
}

// TestTheSuiteAgainstTheDouble sends what promote really asks GitHub, so that with the build tag lab those
// requests are checked against GitHub's description too.
func TestTheSuiteAgainstTheDouble(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	p := w.pull("feature")
	c := w.promote(map[string]string{"contents": Read, "pull-requests": Write, "statuses": Write, "deployments": Write})

	t.Run("only approvals of this head by people who write count", func(t *testing.T) {
		_, err := w.repo.Approve(ctx, p.Number, "linus")
		check(t, err)
		before, err := c.Approvals(ctx, p.Number, p.Head)
		check(t, err)
		if refusal := new(change.Refusal); !errors.As(before.Check(p.Head, 1), &refusal) {
			t.Errorf("a reader's approval was enough: %v", before)
		}
		_, err = w.repo.Review(ctx, p.Number, "grace", "REQUEST_CHANGES", "Why?")
		check(t, err)
		asked, err := c.Approvals(ctx, p.Number, p.Head)
		check(t, err)
		if !slices.Equal(asked.ChangesRequestedBy, []string{"grace"}) {
			t.Errorf("got %v", asked)
		}
		_, err = w.repo.Approve(ctx, p.Number, "grace")
		check(t, err)
		after, err := c.Approvals(ctx, p.Number, p.Head)
		check(t, err)
		if err := after.Check(p.Head, 1); err != nil || !slices.Equal(after.By, []string{"grace"}) {
			t.Errorf("got %v, %v", after, err)
		}
	})
	t.Run("a status, a deployment and the board reach the pull request", func(t *testing.T) {
		check(t, c.SetStatus(ctx, p.Head, promote.Status{Context: "promote/test", State: promote.Success, Description: strings.Repeat("long ", 50), URL: "https://ci.example.com/1"}))
		got, err := c.Statuses(ctx, p.Head)
		check(t, err)
		if len(got) != 1 || got[0].Context != "promote/test" || len([]rune(got[0].Description)) > maxDescription {
			t.Errorf("got %v", got)
		}
		id, err := c.StartDeployment(ctx, promote.Deployment{Commit: p.Head, Environment: "test"})
		check(t, err)
		check(t, c.SetDeploymentStatus(ctx, id, promote.DeploymentStatus{State: "success", LogURL: "https://ci.example.com/1"}))
		all, err := w.repo.Deployments()
		check(t, err)
		if len(all) != 1 || all[0].Environment != "test" || all[0].SHA != p.Head || all[0].State() != "success" {
			t.Errorf("got %v", all)
		}
		for _, environment := range []string{"test", "stage", "test"} {
			check(t, c.UpdateBoard(ctx, p.Number, promote.BoardRow{Environment: environment, Commit: p.Head, Result: "success"}))
		}
		comments, err := w.repo.Comments(p.Number)
		check(t, err)
		if len(comments) != 1 || !strings.Contains(comments[0].Body, "stage") {
			t.Errorf("got %v", comments)
		}
	})
	t.Run("a squash is traced back to the head, even when the index lags", func(t *testing.T) {
		merged, err := w.repo.Merge(ctx, p.Number, Squash, "grace")
		check(t, err)
		w.server.LagAssociations(1)
		got, err := c.MergedChange(ctx, merged.SHA, "main")
		check(t, err)
		if got.Head != p.Head || got.Merge != merged.SHA || got.PullRequest != p.Number || got.Tree != w.git("rev-parse", p.Head+"^{tree}") {
			t.Errorf("got %v", got)
		}
	})
	t.Run("a merge with another tree is refused and the missing commit is named", func(t *testing.T) {
		for _, method := range []string{MergeCommit, Squash, Rebase} {
			w.git("pull", "--quiet", "--ff-only", "origin", "main")
			q := w.pull("late-" + method)
			missing := w.commit("grace", "between-"+method+".txt", "x\n", "Came between")
			w.push("main")
			merged, err := w.repo.Merge(ctx, q.Number, method, "grace")
			check(t, err)
			_, err = c.MergedChange(ctx, merged.SHA, "main")
			if refusal := new(change.Refusal); !errors.As(err, &refusal) || !strings.Contains(refusal.Reason, missing[:7]) {
				t.Errorf("%s: got %v, want a refusal that names %s", method, err, missing[:7])
			}
		}
	})
	t.Run("a missing permission is named as the workflow writes it", func(t *testing.T) {
		poor := w.promote(map[string]string{"contents": Read})
		for want, err := range map[string]error{
			"statuses: write":      poor.SetStatus(ctx, p.Head, promote.Status{Context: "x", State: promote.Success}),
			"pull-requests: write": w.promote(map[string]string{"pull-requests": Read}).UpdateBoard(ctx, p.Number, promote.BoardRow{Environment: "prod"}),
		} {
			if missing := new(promote.PermissionError); !errors.As(err, &missing) || missing.Permission != want {
				t.Errorf("got %v, want %s", err, want)
			}
		}
	})
}
