package github

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/org/promote/pkg/change"
	promote "github.com/org/promote/pkg/github"
)

const runURL = "https://ci.example.com/acme/checkout/actions/runs/4711"

// TestARunTellsOnce does what deploy and canary do, twice over, as a run that is started again does.
func TestARunTellsOnce(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	p := w.pull("feature")
	c := w.promote(map[string]string{"contents": Read, "pull-requests": Write, "statuses": Write, "deployments": Write})
	tell := func(environment, state, attempt string) int64 {
		t.Helper()
		page := runURL + "/attempts/" + attempt
		id, err := c.StartDeployment(ctx, promote.Deployment{Commit: p.Head, Environment: environment, RunURL: page})
		check(t, err)
		check(t, c.SetDeploymentStatus(ctx, id, promote.DeploymentStatus{State: state, LogURL: page, EnvironmentURL: "https://shop." + environment + ".example.com"}))
		check(t, c.SetStatus(ctx, p.Head, promote.Status{Context: "promote/" + environment, State: "pending", URL: page}))
		check(t, c.UpdateBoard(ctx, p.Number, promote.BoardRow{
			Environment: environment, Commit: p.Head, Digest: "sha256:" + strings.Repeat("1", 64), Result: state, Approvers: []string{"grace"}, RunURL: runURL,
		}))
		return id
	}
	states := func() []string {
		t.Helper()
		all, err := w.repo.Deployments()
		check(t, err)
		var found []string
		for _, d := range all {
			found = append(found, d.Environment+" "+d.State())
		}
		return found
	}
	t.Run("a killed run that begins again has the same record", func(t *testing.T) {
		if first, again := tell("test", promote.InProgress, "1"), tell("test", promote.InProgress, "2"); first != again {
			t.Errorf("records %d and %d", first, again)
		}
		tell("test", promote.Success, "2")
	})
	t.Run("a job with an environment has GitHub's record alone, on whatever commit and by whomever", func(t *testing.T) {
		job, err := w.repo.StartJob(ctx, "stage", "refs/pull/1/merge", w.git("rev-parse", "main"), runURL, "grace")
		check(t, err)
		if id := tell("stage", promote.Success, "1"); id != job.ID {
			t.Errorf("record %d, want the job's, %d", id, job.ID)
		}
		if diff := cmp.Diff([]string{"test success", "stage success"}, states()); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("the board is one comment, which a person's copy does not become", func(t *testing.T) {
		comments, err := w.repo.Comments(p.Number)
		check(t, err)
		if len(comments) != 1 || strings.Count(comments[0].Body, "grace") != 4 { // two rows, each as data and in the table
			t.Fatalf("got %+v", comments)
		}
		q := w.pull("second")
		copied := comments[0].Body
		_, err = w.comment("grace", q.Number, copied)
		check(t, err)
		check(t, c.UpdateBoard(ctx, q.Number, promote.BoardRow{Environment: "test", Commit: q.Head, Result: "success"}))
		comments, err = w.repo.Comments(q.Number)
		check(t, err)
		if len(comments) != 2 || comments[0].Body != copied || comments[1].By != Bot {
			t.Errorf("got %+v", comments)
		}
	})
	t.Run("a person's token finds that person's board", func(t *testing.T) {
		token, err := w.repo.NewToken("ada", everything)
		check(t, err)
		own, err := promote.New(promote.Config{APIURL: w.server.URL() + "/api/v3", Token: token, Repository: w.repo.Name()})
		check(t, err)
		q := w.pull("third")
		for _, environment := range []string{"test", "stage"} {
			check(t, own.UpdateBoard(ctx, q.Number, promote.BoardRow{Environment: environment, Commit: q.Head, Result: "success"}))
		}
		if comments, err := w.repo.Comments(q.Number); err != nil || len(comments) != 1 || comments[0].By != "ada" {
			t.Errorf("got %+v, %v", comments, err)
		}
	})
}

func TestLimitsAreRespected(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	p := w.pull("feature")
	token, err := w.repo.NewToken(Bot, everything)
	check(t, err)
	c, err := promote.New(promote.Config{APIURL: w.server.URL(), Token: token, Repository: w.repo.Name()})
	check(t, err)
	for _, status := range []int{403, 429} {
		t.Run(fmt.Sprintf("a secondary limit with status %d is waited for, asking and telling", status), func(t *testing.T) {
			w.server.SetThrottle(Throttle{Requests: 2, Status: status})
			_, err := c.MayGo(ctx, change.Change{PullRequest: p.Number, Head: p.Head}, 0)
			check(t, err)
			w.server.SetThrottle(Throttle{Requests: 2, Status: status})
			check(t, c.UpdateBoard(ctx, p.Number, promote.BoardRow{Environment: fmt.Sprint(status), Commit: p.Head, Result: "success"}))
		})
	}
	t.Run("a used-up allowance is waited for when it is renewed soon", func(t *testing.T) {
		check(t, w.server.SetRateLimit(token, 0, time.Second))
		_, err := c.Tree(ctx, p.Head)
		check(t, err)
	})
	t.Run("a question that gets no answer is no yes", func(t *testing.T) {
		check(t, w.server.SetRateLimit(token, 0, 50*time.Minute))
		_, err := c.MayGo(ctx, change.Change{PullRequest: p.Number, Head: p.Head}, 1)
		if missing := new(promote.PermissionError); err == nil || errors.As(err, &missing) || !strings.Contains(err.Error(), "rate limit is used up until") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("what is told does not wait a minute, and goes to the summary", func(t *testing.T) {
		check(t, w.server.SetRateLimit(token, 900, time.Hour))
		w.server.SetThrottle(Throttle{Requests: 1, Status: 403, RetryAfter: -1})
		begun := time.Now()
		err := c.SetStatus(ctx, p.Head, promote.Status{Context: "promote/test", State: promote.Success})
		if text := promote.Untold(err); err == nil || !strings.Contains(text, "secondary rate limit") || strings.Contains(text, "permissions:") {
			t.Errorf("got %q", text)
		}
		if took := time.Since(begun); took > 10*time.Second {
			t.Errorf("it took %s", took)
		}
	})
}

func TestWhatGitHubDoesNotTakeIsToldWithTheLinesToAdd(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	p := w.pull("feature")
	c := w.promote(map[string]string{"contents": Read, "pull-requests": Read}) // as Dependabot's token is
	_, errDeployment := c.StartDeployment(ctx, promote.Deployment{Commit: p.Head, Environment: "test", RunURL: runURL})
	got := promote.Untold(
		c.SetStatus(ctx, p.Head, promote.Status{Context: "promote/test", State: promote.Success}), errDeployment,
		c.UpdateBoard(ctx, p.Number, promote.BoardRow{Environment: "test", Commit: p.Head, Result: "success"}),
	)
	if !strings.Contains(got, "permissions:\n  deployments: write\n  pull-requests: write\n  statuses: write\n") {
		t.Errorf("got\n%s", got)
	}
}
