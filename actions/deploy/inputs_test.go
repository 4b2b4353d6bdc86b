package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/org/promote/pkg/change"
	"github.com/org/promote/pkg/gha"
	"github.com/org/promote/pkg/job"
)

// with reads the inputs from a good set with some changed; a change to "-" takes the input away.
func with(t *testing.T, changes map[string]string) (inputs, error) {
	t.Helper()
	env := map[string]string{
		"INPUT_ENVIRONMENT": "test", "INPUT_SERVICE": "checkout", "INPUT_IMAGE": "registry.example.com/checkout",
		"INPUT_MANIFESTS": "deploy", "INPUT_GITHUB_TOKEN": "t", "GITHUB_WORKSPACE": "/work",
	}
	for k, v := range changes {
		if v == "-" {
			delete(env, k)
			continue
		}
		env[k] = v
	}
	return readInputs(gha.New(func(name string) string { return env[name] }, io.Discard), "/runner/kubeconfig")
}

func TestInputs(t *testing.T) {
	t.Run("what is left out has its default", func(t *testing.T) {
		got, err := with(t, nil)
		if err != nil {
			t.Fatal(err)
		}
		want := inputs{previewTTL: 72 * time.Hour, Inputs: job.Inputs{
			Environment: "test", Service: "checkout", Image: "registry.example.com/checkout", Manifests: "/work/deploy", Namespace: "test",
			Kubeconfig: "/runner/kubeconfig", TestDirectory: "/work", Timeout: 10 * time.Minute, Drain: 30 * time.Second, Token: "t",
			MaxDeletions: 5, Concurrency: "queue",
		}}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(inputs{}), cmpopts.EquateEmpty()); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("what tests get and leave is read", func(t *testing.T) {
		got, err := with(t, map[string]string{
			"INPUT_TEST_COMMAND": "make e2e", "INPUT_TEST_JUNIT": "out/**/*.xml,\nmore.xml", "INPUT_TEST_ENV": "DATABASE_URL, USER\nSIZES=1,2", "INPUT_RESET_COMMAND": "make seed",
		})
		if err != nil || !slices.Equal(got.TestJUnit, []string{"out/**/*.xml", "more.xml"}) || !slices.Equal(got.TestEnv, []string{"DATABASE_URL", "USER", "SIZES=1,2"}) {
			t.Errorf("got %+v, %v", got, err)
		}
		_, err = with(t, map[string]string{"INPUT_TEST_COMMAND": "make e2e", "INPUT_TEST_JUNIT": "out/[.xml", "INPUT_TEST_ENV": "GITHUB_ENV=/x"})
		if err == nil || !strings.Contains(err.Error(), "a [ is not closed") || !strings.Contains(err.Error(), "GITHUB_ENV, which is the runner's") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("what is about tests makes no sense without a command", func(t *testing.T) {
		for name, text := range map[string]string{"TEST_JUNIT": "*.xml", "TEST_ENV": "A=b", "RESET_COMMAND": "make seed"} {
			if _, err := with(t, map[string]string{"INPUT_" + name: text}); err == nil || !strings.Contains(err.Error(), "`test-command`") {
				t.Errorf("%s: got %v", name, err)
			}
		}
	})
	t.Run("what is required is named as gates", func(t *testing.T) {
		got, err := with(t, map[string]string{"INPUT_REQUIRE": "unit, build", "INPUT_ALLOW_ROLLBACK": "true", "INPUT_EVIDENCE_KEY": "awskms:///alias/evidence"})
		if err != nil || !slices.Equal(got.Require, []string{"unit", "build"}) || !got.AllowRollback || got.EvidenceKey == "" {
			t.Errorf("got %+v, %v", got, err)
		}
		_, err = with(t, map[string]string{"INPUT_REQUIRE": "unit,staging"})
		if err == nil || !strings.Contains(err.Error(), `"staging"`) || !strings.Contains(err.Error(), "unit, build, test, stage, prod") {
			t.Errorf("got %v, want the unknown gate and the known ones", err)
		}
	})
	t.Run("the cluster is named one way only", func(t *testing.T) {
		for name, test := range map[string]struct {
			given               map[string]string
			cluster, kubeconfig string
			problem             string
		}{
			"nothing is given: the runner's kubeconfig": {nil, "", "/runner/kubeconfig", ""},
			"a kubeconfig is": {map[string]string{"INPUT_KUBECONFIG": "/other"}, "", "/other", ""},
			"an EKS cluster is, and outranks the runner's kubeconfig": {map[string]string{"INPUT_CLUSTER": "prod"}, "prod", "", ""},
			"both are":  {map[string]string{"INPUT_CLUSTER": "prod", "INPUT_KUBECONFIG": "/other"}, "", "", "both set"},
			"an ARN is": {map[string]string{"INPUT_CLUSTER": "arn:aws:eks:eu-west-1:1:cluster/prod"}, "", "", "aws eks list-clusters"},
		} {
			got, err := with(t, test.given)
			switch {
			case test.problem != "":
				if err == nil || !strings.Contains(err.Error(), test.problem) || !strings.Contains(err.Error(), "cluster") {
					t.Errorf("%s: got %v, want %q", name, err, test.problem)
				}
			case err != nil || got.Cluster != test.cluster || got.Kubeconfig != test.kubeconfig:
				t.Errorf("%s: got cluster %q, kubeconfig %q, %v", name, got.Cluster, got.Kubeconfig, err)
			}
		}
	})
	t.Run("a preview is no gate, and has a namespace that nobody else names", func(t *testing.T) {
		got, err := with(t, map[string]string{"INPUT_PREVIEW": "true", "INPUT_PREVIEW_TTL": "8h"})
		if err != nil || !got.preview || got.previewTTL != 8*time.Hour || got.gate() != "preview" {
			t.Errorf("got %+v, %v", got, err)
		}
		if shown := got.shown(change.Change{PullRequest: 7}); shown.Environment != "preview/pr-7" || got.Environment != "test" {
			t.Errorf("it is shown as %q, and rendered for %q", shown.Environment, got.Environment)
		}
		_, err = with(t, map[string]string{"INPUT_PREVIEW": "true", "INPUT_PREVIEW_TTL": "0s", "INPUT_NAMESPACE": "prod"})
		for _, name := range []string{`"namespace"`, `"preview-ttl"`} {
			if err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("got %v, want one that names %s", err, name)
			}
		}
	})
	t.Run("a preview can be looked at before it is made", func(t *testing.T) {
		if got, err := with(t, map[string]string{"INPUT_PREVIEW": "true", "INPUT_DRY_RUN": "true"}); err != nil || !got.dryRun {
			t.Errorf("got %+v, %v", got, err)
		}
	})
	t.Run("force, the cap on deletions and what to do in a queue are as given", func(t *testing.T) {
		got, err := with(t, map[string]string{"INPUT_FORCE": "true", "INPUT_MAX_DELETIONS": "0", "INPUT_CONCURRENCY": "supersede"})
		if err != nil || !got.Force || got.MaxDeletions != 0 || got.Concurrency != "supersede" {
			t.Errorf("got %+v, %v", got, err)
		}
		if _, err = with(t, map[string]string{"INPUT_CONCURRENCY": "jump"}); err == nil || !strings.Contains(err.Error(), "queue, supersede") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("every problem is reported at once", func(t *testing.T) {
		_, err := with(t, map[string]string{"INPUT_SERVICE": "-", "INPUT_IMAGE": "checkout:latest", "INPUT_DIGEST": "latest", "INPUT_TIMEOUT": "soon"})
		if err == nil {
			t.Fatal("four wrong inputs are taken")
		}
		for _, name := range []string{"service", "image", "digest", "timeout"} {
			if !strings.Contains(err.Error(), "`"+name+"`") && !strings.Contains(err.Error(), "\""+name+"\"") && !strings.Contains(err.Error(), name) {
				t.Errorf("the error does not name the input %s:\n%v", name, err)
			}
		}
	})
	t.Run("a dry run is one of two kinds, and rendering needs no token", func(t *testing.T) {
		for value, want := range map[string][2]bool{"false": {false, false}, "true": {true, false}, "render": {false, true}} {
			got, err := with(t, map[string]string{"INPUT_DRY_RUN": value})
			if err != nil || [2]bool{got.dryRun, got.renderOnly} != want {
				t.Errorf("%s: got %v and %v, %v", value, got.dryRun, got.renderOnly, err)
			}
		}
		if _, err := with(t, map[string]string{"INPUT_DRY_RUN": "render", "INPUT_GITHUB_TOKEN": "-"}); err != nil {
			t.Error(err)
		}
		for changed, want := range map[string]string{"INPUT_GITHUB_TOKEN": "github-token", "INPUT_DRY_RUN": "dry-run"} {
			value := "-"
			if changed == "INPUT_DRY_RUN" {
				value = "maybe"
			}
			if _, err := with(t, map[string]string{changed: value}); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want a problem of %s", err, want)
			}
		}
	})
	t.Run("a runner of another environment is refused with the fix", func(t *testing.T) {
		_, err := with(t, map[string]string{"PROMOTE_RUNNER_ENVIRONMENT": "stage"})
		if err == nil || !strings.Contains(err.Error(), "runs-on") || !strings.Contains(err.Error(), `"stage"`) {
			t.Errorf("error is %v, want one that names the runner's environment and runs-on", err)
		}
	})
	t.Run("a runner of this environment is taken", func(t *testing.T) {
		if _, err := with(t, map[string]string{"PROMOTE_RUNNER_ENVIRONMENT": "test"}); err != nil {
			t.Error(err)
		}
	})
}

func TestManifestsStayInTheCheckout(t *testing.T) {
	workspace, outside := t.TempDir(), t.TempDir()
	if err := errors.Join(os.Symlink(outside, filepath.Join(workspace, "deploy")), os.Mkdir(filepath.Join(workspace, "ours"), 0o755)); err != nil {
		t.Fatal(err)
	}
	_, err := with(t, map[string]string{"GITHUB_WORKSPACE": workspace})
	if err == nil || !strings.Contains(err.Error(), `input "manifests" is "deploy", which leads out of the checkout`) {
		t.Errorf("a link that leads out: got %v", err)
	}
	for name, path := range map[string]string{"a folder of the checkout": "ours", "an absolute path, which the workflow's author gave": outside} {
		if _, err := with(t, map[string]string{"GITHUB_WORKSPACE": workspace, "INPUT_MANIFESTS": path}); err != nil {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
