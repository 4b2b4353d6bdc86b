package github

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSetStatus(t *testing.T) {
	route := "POST /statuses/" + head
	t.Run("cuts the description at GitHub's 140 characters", func(t *testing.T) {
		s := serve(t, map[string][]answer{route: {{status: 201, body: `{}`}}})
		err := s.client().SetStatus(t.Context(), head, Status{Context: "promote/test", State: Success, Description: strings.Repeat("é", 200)})
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]any{"context": "promote/test", "state": "success", "description": strings.Repeat("é", 139) + "…"}
		if diff := cmp.Diff(want, s.sent(route)[0]); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("a missing permission names the line to add", func(t *testing.T) {
		s := serve(t, map[string][]answer{route: {refused(403, "Resource not accessible by integration")}})
		err := s.client().SetStatus(t.Context(), head, Status{Context: "promote/test", State: Success})
		if err == nil || !strings.Contains(err.Error(), `add "statuses: write" under permissions:`) {
			t.Errorf("got %v", err)
		}
	})
}

func TestStatusesReadsEveryPage(t *testing.T) {
	routes := map[string][]answer{}
	s := serve(t, routes)
	first := ok(`[{"context":"a","state":"failure"}]`)
	first.header = map[string][]string{"Link": {`<` + s.URL + `/x?per_page=100&page=2>; rel="next"`}}
	routes["GET /commits/"+head+"/statuses?per_page=100"] = []answer{first}
	routes["GET /commits/"+head+"/statuses?page=2&per_page=100"] = []answer{ok(`[{"context":"a","state":"success","description":"d","target_url":"https://x"}]`)}
	got, err := s.client().Statuses(t.Context(), head)
	if err != nil {
		t.Fatal(err)
	}
	want := []Status{{Context: "a", State: Failure}, {Context: "a", State: Success, Description: "d", URL: "https://x"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestUntold(t *testing.T) {
	missing := func(permission string) error {
		return fmt.Errorf("wrapped: %w", &PermissionError{Doing: "setting <it>", Permission: permission, Message: "Resource not accessible by integration"})
	}
	got := Untold(nil, missing("statuses: write"), missing("deployments: write"), missing("statuses: write"), errors.New("x"))
	if !strings.Contains(got, "permissions:\n  deployments: write\n  statuses: write\n```") || strings.Contains(got, "<it>") || strings.Count(got, "- wrapped") != 2 {
		t.Errorf("got\n%s", got)
	}
	if got := Untold(nil, nil); got != "" {
		t.Errorf("got %q", got)
	}
}

func TestNothingSecretIsTold(t *testing.T) {
	redact := func(text string) string { return strings.ReplaceAll(text, "s3cr3t", "***") }
	t.Run("a secret goes before the text is cut", func(t *testing.T) {
		route, deployment := "POST /statuses/"+head, "POST /deployments/99/statuses"
		s := serve(t, map[string][]answer{route: {{status: 201, body: `{}`}}, deployment: {{status: 201, body: `{}`}}})
		c := s.client()
		c.redact = redact
		text := strings.Repeat("x", 136) + "s3cr3t"
		err := errors.Join(
			c.SetStatus(t.Context(), head, Status{Context: "c", State: Failure, Description: text, URL: "https://x/?key=s3cr3t"}),
			c.SetDeploymentStatus(t.Context(), 99, DeploymentStatus{State: Failure, Description: text, EnvironmentURL: "https://s3cr3t.test", LogURL: run}))
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]any{"context": "c", "state": "failure", "description": strings.Repeat("x", 136) + "***"}
		if diff := cmp.Diff(want, s.sent(route)[0]); diff != "" {
			t.Error(diff)
		}
		want = map[string]any{"state": "failure", "description": strings.Repeat("x", 136) + "***", "log_url": run}
		if diff := cmp.Diff(want, s.sent(deployment)[0]); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("a row of the board has none, and still tells rows apart", func(t *testing.T) {
		got := BoardRow{Environment: "s3cr3t", Commit: head, Result: "s3cr3t", Share: "5 % s3cr3t", URL: "https://s3cr3t.test", RunURL: run}.redacted(redact)
		if diff := cmp.Diff(BoardRow{Environment: "s3cr3t", Commit: head, Result: "***", Share: "5 % ***", RunURL: run}, got); diff != "" {
			t.Error(diff)
		}
	})
}
