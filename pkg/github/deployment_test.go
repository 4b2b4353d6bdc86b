package github

import (
	stdcmp "cmp"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const run = "https://github.test/org/shop/actions/runs/4711"

func TestDeployment(t *testing.T) {
	s := serve(t, map[string][]answer{
		"GET /deployments?environment=prod&per_page=5": {ok("[]")},
		"POST /deployments":                            {{status: 201, body: `{"id":99}`}},
		"POST /deployments/99/statuses":                {{status: 201, body: `{}`}},
	})
	c := s.client()
	id, err := c.StartDeployment(t.Context(), Deployment{Commit: head, Environment: "prod", Description: "d", Production: true, RunURL: run + "/attempts/2"})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.SetDeploymentStatus(t.Context(), id, DeploymentStatus{State: InProgress, LogURL: run}); err != nil {
		t.Fatal(err)
	}
	t.Run("GitHub neither merges the base into it nor waits for checks", func(t *testing.T) {
		want := map[string]any{
			"ref": head, "environment": "prod", "description": "d", "auto_merge": false, "required_contexts": []any{},
			"production_environment": true, "transient_environment": false, "payload": map[string]any{"run": run},
		}
		if diff := cmp.Diff(want, s.sent("POST /deployments")[0]); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("its status leads to the run", func(t *testing.T) {
		want := map[string]any{"state": "in_progress", "description": "", "log_url": run}
		if diff := cmp.Diff(want, s.sent("POST /deployments/99/statuses")[0]); diff != "" {
			t.Error(diff)
		}
	})
}

func TestARunHasOneDeploymentRecordPerEnvironment(t *testing.T) {
	own := fmt.Sprintf(`{"run":%q}`, run)
	for _, test := range []struct {
		name, payload, statuses, sha string // statuses "-" are not asked for
		reused                       bool
	}{
		{"GitHub's own, made for the job", `{}`, fmt.Sprintf(`[{"state":"in_progress","log_url":"%s/job/1"}]`, run), "", true},
		{"GitHub's own, of a job that waits", `""`, fmt.Sprintf(`[{"state":"queued","log_url":"%s/job/1"}]`, run), "", true},
		{"ours, of a run that was killed right after", own, `[]`, "", true},
		{"ours, in progress", own, fmt.Sprintf(`[{"state":"in_progress","log_url":"%s/attempts/1"}]`, run), "", true},
		{"not one that has ended", own, fmt.Sprintf(`[{"state":"failure","log_url":"%s/attempts/1"}]`, run), "", false},
		{"not the one of a run whose number only begins the same", `{}`, fmt.Sprintf(`[{"state":"in_progress","log_url":"%s1/job/1"}]`, run), "", false},
		{"not one of another run of ours", `{"run":"https://github.test/org/shop/actions/runs/1"}`, "-", "", false},
		{"not ours of another commit", own, "-", other, false},
		{"not one without a status that somebody else made", `"whatever"`, `[]`, "", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			routes := map[string][]answer{"GET /deployments?environment=prod&per_page=5": {ok(`[{"id":7,"sha":%q,"payload":%s}]`, stdcmp.Or(test.sha, head), test.payload)}}
			if test.statuses != "-" {
				routes["GET /deployments/7/statuses?per_page=1"] = []answer{ok("%s", test.statuses)}
			}
			want := int64(7)
			if !test.reused {
				want = 99
				routes["POST /deployments"] = []answer{{status: 201, body: `{"id":99}`}}
			}
			got, err := serve(t, routes).client().StartDeployment(t.Context(), Deployment{Commit: head, Environment: "prod", RunURL: run + "/attempts/1"})
			if err != nil || got != want {
				t.Errorf("got %d, %v, want %d", got, err, want)
			}
		})
	}
}
