package github

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	gogithub "github.com/google/go-github/v84/github"
)

func TestDeployments(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	sha := w.git("rev-parse", "main")
	none := []string{}
	create := func(environment string, request gogithub.DeploymentRequest) (*gogithub.Deployment, error) {
		request.Environment = &environment
		if request.Ref == nil {
			request.Ref = &sha
		}
		got, _, err := w.bot.Repositories.CreateDeployment(ctx, owner, name, &request)
		return got, err
	}
	var first *gogithub.Deployment
	t.Run("a deployment goes through its states", func(t *testing.T) {
		var err error
		first, err = create("test", gogithub.DeploymentRequest{AutoMerge: gogithub.Ptr(false), RequiredContexts: &none, Description: gogithub.Ptr("Release 1")})
		check(t, err)
		for _, state := range []string{"in_progress", "success"} {
			_, _, err := w.bot.Repositories.CreateDeploymentStatus(ctx, owner, name, first.GetID(), &gogithub.DeploymentStatusRequest{
				State: &state, LogURL: gogithub.Ptr("https://ci.example.com/1"), EnvironmentURL: gogithub.Ptr("http://10.0.0.1"),
			})
			check(t, err)
		}
		all, _, err := w.bot.Repositories.ListDeploymentStatuses(ctx, owner, name, first.GetID(), nil)
		check(t, err)
		if len(all) != 2 || all[0].GetState() != "success" || all[0].GetEnvironmentURL() != "http://10.0.0.1" || all[1].GetState() != "in_progress" {
			t.Errorf("got %v", all)
		}
	})
	t.Run("a newer success makes the older inactive", func(t *testing.T) {
		second, err := create("test", gogithub.DeploymentRequest{RequiredContexts: &none})
		check(t, err)
		_, _, err = w.bot.Repositories.CreateDeploymentStatus(ctx, owner, name, second.GetID(), &gogithub.DeploymentStatusRequest{State: gogithub.Ptr("success")})
		check(t, err)
		all, err := w.repo.Deployments()
		check(t, err)
		var states []string
		for _, d := range all {
			states = append(states, d.State())
		}
		if diff := cmp.Diff([]string{"inactive", "success"}, states); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("they are listed by environment", func(t *testing.T) {
		_, err := create("stage", gogithub.DeploymentRequest{RequiredContexts: &none})
		check(t, err)
		got, _, err := w.bot.Repositories.ListDeployments(ctx, owner, name, &gogithub.DeploymentsListOptions{Environment: "stage", SHA: sha})
		check(t, err)
		if len(got) != 1 || got[0].GetSHA() != sha || got[0].GetEnvironment() != "stage" {
			t.Errorf("got %v", got)
		}
	})
	t.Run("unless told otherwise every status must be a success", func(t *testing.T) {
		pending := gogithub.RepoStatus{State: gogithub.Ptr("pending"), Context: gogithub.Ptr("promote/test")}
		_, _, err := w.bot.Repositories.CreateStatus(ctx, owner, name, sha, pending)
		check(t, err)
		_, err = create("test", gogithub.DeploymentRequest{})
		wantStatus(t, err, 409, "Commit status checks failed")
		_, err = create("test", gogithub.DeploymentRequest{RequiredContexts: &none})
		check(t, err)
	})
	t.Run("unless told otherwise a branch that is behind is merged instead of deployed", func(t *testing.T) {
		w.feature("behind")
		w.commit("grace", "other.txt", "x\n", "Go on")
		w.push("main")
		_, err := create("test", gogithub.DeploymentRequest{Ref: gogithub.Ptr("behind"), RequiredContexts: &none})
		if accepted := new(gogithub.AcceptedError); !errors.As(err, &accepted) {
			t.Errorf("got %v, want 202", err)
		}
		got, err := create("test", gogithub.DeploymentRequest{Ref: gogithub.Ptr("behind"), RequiredContexts: &none})
		check(t, err)
		w.git("fetch", "--quiet", "origin")
		if got.GetSHA() != w.git("rev-parse", "origin/behind") || w.git("merge-base", "main", "origin/behind") != w.git("rev-parse", "main") {
			t.Errorf("deployed %s", got.GetSHA())
		}
	})
	t.Run("what GitHub refuses is refused", func(t *testing.T) {
		_, err := create("test", gogithub.DeploymentRequest{Ref: gogithub.Ptr("nowhere")})
		wantStatus(t, err, 422, "No ref found for: nowhere")
		_, _, err = w.bot.Repositories.CreateDeploymentStatus(ctx, owner, name, first.GetID(), &gogithub.DeploymentStatusRequest{State: gogithub.Ptr("done")})
		wantStatus(t, err, 422, "state must be one of")
		_, _, err = w.bot.Repositories.CreateDeploymentStatus(ctx, owner, name, first.GetID(), &gogithub.DeploymentStatusRequest{State: gogithub.Ptr("success"), EnvironmentURL: gogithub.Ptr("10.0.0.1")})
		wantStatus(t, err, 422, "environment_url must use http(s) scheme")
		_, _, err = w.bot.Repositories.GetDeployment(ctx, owner, name, 1)
		wantStatus(t, err, 404, "Not Found")
	})
}
