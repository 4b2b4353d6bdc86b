package github

import (
	"encoding/json"
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

func TestDeployment(t *testing.T) {
	s := serve(t, map[string][]answer{
		"POST /deployments":             {{status: 201, body: `{"id":99}`}},
		"POST /deployments/99/statuses": {{status: 201, body: `{}`}},
	})
	c := s.client()
	id, err := c.StartDeployment(t.Context(), Deployment{Commit: head, Environment: "prod", Description: "d", Production: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.SetDeploymentStatus(t.Context(), id, DeploymentStatus{State: InProgress, LogURL: "https://run"}); err != nil {
		t.Fatal(err)
	}
	t.Run("GitHub neither merges the base into it nor waits for checks", func(t *testing.T) {
		want := map[string]any{
			"ref": head, "environment": "prod", "description": "d", "auto_merge": false, "required_contexts": []any{},
			"production_environment": true, "transient_environment": false,
		}
		if diff := cmp.Diff(want, s.sent("POST /deployments")[0]); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("its status leads to the run", func(t *testing.T) {
		want := map[string]any{"state": "in_progress", "description": "", "log_url": "https://run"}
		if diff := cmp.Diff(want, s.sent("POST /deployments/99/statuses")[0]); diff != "" {
			t.Error(diff)
		}
	})
}

func TestUpdateBoard(t *testing.T) {
	const comments = "GET /issues/7/comments?per_page=100"
	test := BoardRow{Environment: "test", Commit: head, Digest: "sha256:" + head, Result: "deployed", URL: "https://shop.test", RunURL: "https://run/1"}
	stage := BoardRow{Environment: "stage", Commit: head, Result: "failed --> |@all"}
	comment := func(id int, kind, association, body string) string {
		data, err := json.Marshal(map[string]any{"id": id, "user": map[string]any{"type": kind}, "author_association": association, "body": body})
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	bot := func(id int, rows ...BoardRow) string { return comment(id, "Bot", "NONE", renderBoard(rows)) }

	t.Run("makes the comment once", func(t *testing.T) {
		s := serve(t, map[string][]answer{
			comments:                  {ok(`[%s]`, comment(1, "User", "OWNER", "hello")), ok(`[%s]`, bot(2, test))},
			"POST /issues/7/comments": {{status: 201, body: `{"id":2}`}},
		})
		if err := s.client().UpdateBoard(t.Context(), 7, test); err != nil {
			t.Fatal(err)
		}
		body := s.sent("POST /issues/7/comments")[0]["body"].(string)
		for _, want := range []string{"[test](https://shop.test)", "[✅ deployed](https://run/1)", "`1111111`", "`sha256:111111111111`"} {
			if !strings.Contains(body, want) {
				t.Errorf("%q is not in\n%s", want, body)
			}
		}
	})
	t.Run("adds a row and keeps the others, whatever text is in them", func(t *testing.T) {
		s := serve(t, map[string][]answer{
			comments:                   {ok(`[%s]`, bot(2, test)), ok(`[%s]`, bot(2, test, stage))},
			"PATCH /issues/comments/2": {ok(`{}`)},
		})
		if err := s.client().UpdateBoard(t.Context(), 7, stage); err != nil {
			t.Fatal(err)
		}
		body := s.sent("PATCH /issues/comments/2")[0]["body"].(string)
		if body != renderBoard([]BoardRow{test, stage}) {
			t.Errorf("got\n%s", body)
		}
		if _, visible, _ := strings.Cut(body, markerEnd); strings.Count(body, "-->") != 1 || strings.Contains(visible, "@all") {
			t.Errorf("the text broke out:\n%s", body)
		}
	})
	t.Run("replaces the row of its environment", func(t *testing.T) {
		old := test
		old.Result = "failed"
		s := serve(t, map[string][]answer{
			comments:                   {ok(`[%s]`, bot(2, old, stage)), ok(`[%s]`, bot(2, test, stage))},
			"PATCH /issues/comments/2": {ok(`{}`)},
		})
		if err := s.client().UpdateBoard(t.Context(), 7, test); err != nil {
			t.Fatal(err)
		}
		if got := s.sent("PATCH /issues/comments/2")[0]["body"]; got != renderBoard([]BoardRow{test, stage}) {
			t.Errorf("got\n%s", got)
		}
	})
	t.Run("writes again when another job wrote over the row", func(t *testing.T) {
		s := serve(t, map[string][]answer{
			comments:                   {ok(`[%s]`, bot(2)), ok(`[%s]`, bot(2, stage)), ok(`[%s]`, bot(2, stage, test))},
			"PATCH /issues/comments/2": {ok(`{}`)},
		})
		if err := s.client().UpdateBoard(t.Context(), 7, test); err != nil {
			t.Fatal(err)
		}
		if got := s.sent("PATCH /issues/comments/2"); len(got) != 2 || got[1]["body"] != renderBoard([]BoardRow{stage, test}) {
			t.Errorf("got %v", got)
		}
	})
	t.Run("removes its own comment when another job was first", func(t *testing.T) {
		s := serve(t, map[string][]answer{
			comments:                    {ok(`[]`), ok(`[%s,%s]`, bot(2, stage), bot(3, test)), ok(`[%s]`, bot(2, stage, test))},
			"POST /issues/7/comments":   {{status: 201, body: `{"id":3}`}},
			"DELETE /issues/comments/3": {{status: 204}},
			"PATCH /issues/comments/2":  {ok(`{}`)},
		})
		if err := s.client().UpdateBoard(t.Context(), 7, test); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("does not trust a stranger's comment with the marker", func(t *testing.T) {
		forged := comment(1, "User", "NONE", renderBoard([]BoardRow{stage}))
		s := serve(t, map[string][]answer{
			comments:                  {ok(`[%s]`, forged), ok(`[%s,%s]`, forged, bot(2, test))},
			"POST /issues/7/comments": {{status: 201, body: `{"id":2}`}},
		})
		if err := s.client().UpdateBoard(t.Context(), 7, test); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("starts over in a comment that somebody edited", func(t *testing.T) {
		s := serve(t, map[string][]answer{
			comments:                   {ok(`[%s]`, comment(2, "Bot", "NONE", boardMarker+"[{ -->")), ok(`[%s]`, bot(2, test))},
			"PATCH /issues/comments/2": {ok(`{}`)},
		})
		if err := s.client().UpdateBoard(t.Context(), 7, test); err != nil {
			t.Fatal(err)
		}
	})
}
