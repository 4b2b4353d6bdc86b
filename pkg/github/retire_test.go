package github

import (
	"strings"
	"testing"
)

func TestRetiringAnEnvironment(t *testing.T) {
	t.Run("what is up or under way becomes inactive, but for the one to keep", func(t *testing.T) {
		s := serve(t, map[string][]answer{
			"GET /deployments?environment=preview%2Fpr-7&per_page=100": {ok(`[{"id":5},{"id":4},{"id":3},{"id":2},{"id":1}]`)},
			"GET /deployments/4/statuses?per_page=1":                   {ok(`[{"state":"success"}]`)},
			"GET /deployments/3/statuses?per_page=1":                   {ok(`[{"state":"failure"}]`)},
			"GET /deployments/2/statuses?per_page=1":                   {ok(`[]`)},
			"GET /deployments/1/statuses?per_page=1":                   {ok(`[{"state":"inactive"}]`)},
			"POST /deployments/4/statuses":                             {{status: 201, body: `{}`}},
			"POST /deployments/2/statuses":                             {{status: 201, body: `{}`}},
		})
		if err := s.client().RetireDeployments(t.Context(), "preview/pr-7", 5, DeploymentStatus{Description: "removed", LogURL: run}); err != nil {
			t.Fatal(err)
		}
		if sent := s.sent("POST /deployments/4/statuses"); len(sent) != 1 || sent[0]["state"] != "inactive" || sent[0]["description"] != "removed" {
			t.Errorf("sent %v", sent)
		}
	})
	t.Run("without the permission, the line to add is named", func(t *testing.T) {
		s := serve(t, map[string][]answer{
			"GET /deployments?environment=x&per_page=100": {refused(403, "Resource not accessible by integration")},
		})
		err := s.client().RetireDeployments(t.Context(), "x", 0, DeploymentStatus{})
		if err == nil || !strings.Contains(err.Error(), "deployments: write") {
			t.Errorf("got %v", err)
		}
	})
}

func TestRetiringABoard(t *testing.T) {
	rows := []BoardRow{
		{Environment: "preview/pr-7", Commit: other, Result: "deployed", URL: "http://old", RunURL: "r1"},
		{Environment: "test", Commit: head, Result: "deployed", URL: "http://test", RunURL: "r2"},
		{Environment: "preview/pr-7", Commit: head, Result: "failed", RunURL: "r3"},
	}
	comments := "GET /issues/7/comments?per_page=100"
	comment := func(rows []BoardRow) answer {
		return ok(`[{"id":1,"user":{"type":"Bot"},"body":%s}]`, marshal(renderBoard(rows)))
	}
	t.Run("its environment's rows lose their links, and the others stay", func(t *testing.T) {
		want := []BoardRow{{Environment: "preview/pr-7", Commit: other, Result: "removed", RunURL: "r9"}, rows[1], rows[2]}
		s := serve(t, map[string][]answer{comments: {comment(rows), comment(want)}, "PATCH /issues/comments/1": {ok(`{"id":1}`)}})
		if err := s.client().RetireBoard(t.Context(), 7, "preview/pr-7", "removed", "r9"); err != nil {
			t.Fatal(err)
		}
		sent := s.sent("PATCH /issues/comments/1")
		if len(sent) != 1 || sent[0]["body"] != renderBoard(want) {
			t.Errorf("sent %v, want\n%s", sent, renderBoard(want))
		}
	})
	t.Run("where the environment has nothing, nothing is written", func(t *testing.T) {
		s := serve(t, map[string][]answer{comments: {comment(rows[1:])}})
		if err := s.client().RetireBoard(t.Context(), 7, "preview/pr-7", "removed", "r9"); err != nil {
			t.Error(err)
		}
	})
	t.Run("where there is no board, none is made", func(t *testing.T) {
		s := serve(t, map[string][]answer{comments: {ok("[]")}})
		if err := s.client().RetireBoard(t.Context(), 7, "preview/pr-7", "removed", "r9"); err != nil {
			t.Error(err)
		}
	})
}

func TestAPullRequestIsAskedFor(t *testing.T) {
	s := serve(t, map[string][]answer{"GET /pulls/7": {ok(`{"number":7,"state":"closed","merged_at":"2026-11-24T12:00:00Z","head":{"sha":%q}}`, head)}})
	got, err := s.client().Pull(t.Context(), 7)
	if want := (Pull{Number: 7, Merged: true, Head: head}); err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
}
