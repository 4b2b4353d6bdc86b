package github

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
)

const comments = "GET /issues/7/comments?per_page=100"

func comment(id int, login, body string) string {
	kind := "User"
	if strings.HasSuffix(login, "[bot]") {
		kind = "Bot"
	}
	data, err := json.Marshal(map[string]any{"id": id, "user": map[string]any{"type": kind, "login": login}, "body": body})
	if err != nil {
		panic(err)
	}
	return string(data)
}

func bot(id int, rows ...BoardRow) string {
	return comment(id, "github-actions[bot]", renderBoard(rows))
}

func TestUpdateBoard(t *testing.T) {
	test := BoardRow{Environment: "test", Commit: head, Digest: "sha256:" + head, Result: "deployed", URL: "https://shop.test", RunURL: "https://run/1"}
	stage := BoardRow{Environment: "stage", Commit: head, Result: "failed --> |@all"}

	t.Run("makes the comment once", func(t *testing.T) {
		s := serve(t, map[string][]answer{
			comments:                  {ok(`[%s]`, comment(1, "grace", "hello")), ok(`[%s]`, bot(2, test))},
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
	t.Run("takes no person's comment for its own, whatever begins it", func(t *testing.T) {
		// The second is of an account that is gone, which has no name, as an installation's token has none.
		forged := comment(1, "grace", renderBoard([]BoardRow{stage})) + "," + comment(4, "", renderBoard([]BoardRow{stage}))
		s := serve(t, map[string][]answer{
			"GET /user":               {refused(403, "Resource not accessible by integration")},
			comments:                  {ok(`[%s]`, forged), ok(`[%s,%s]`, forged, bot(2, test))},
			"POST /issues/7/comments": {{status: 201, body: `{"id":2}`}},
		})
		if err := s.client().UpdateBoard(t.Context(), 7, test); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("knows its own comment when the token is a person's", func(t *testing.T) {
		forged, own := comment(1, "grace", renderBoard([]BoardRow{stage})), func(rows ...BoardRow) string { return comment(2, "Ada", renderBoard(rows)) }
		s := serve(t, map[string][]answer{
			"GET /user":                {ok(`{"login":"ada"}`)},
			comments:                   {ok(`[%s,%s]`, forged, own(stage)), ok(`[%s,%s]`, forged, own(stage, test))},
			"PATCH /issues/comments/2": {ok(`{}`)},
		})
		if err := s.client().UpdateBoard(t.Context(), 7, test); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("takes no comment that only quotes the marker", func(t *testing.T) {
		quoting := comment(1, "helper[bot]", "> "+renderBoard([]BoardRow{stage}))
		s := serve(t, map[string][]answer{
			comments:                  {ok(`[%s]`, quoting), ok(`[%s,%s]`, quoting, bot(2, test))},
			"POST /issues/7/comments": {{status: 201, body: `{"id":2}`}},
		})
		if err := s.client().UpdateBoard(t.Context(), 7, test); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("says when it may not write, and that a locked conversation is not about permissions", func(t *testing.T) {
		s := serve(t, map[string][]answer{comments: {ok(`[]`)}, "POST /issues/7/comments": {refused(403, "Resource not accessible by integration"), refused(403, "Unable to create comment because issue is locked.")}})
		c := s.client()
		var missing *PermissionError
		if err := c.UpdateBoard(t.Context(), 7, test); !errors.As(err, &missing) || missing.Permission != "pull-requests: write" {
			t.Errorf("got %v", err)
		}
		if err := c.UpdateBoard(t.Context(), 7, test); err == nil || errors.As(err, &missing) || !strings.Contains(err.Error(), "is locked") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("starts over in a comment that somebody edited", func(t *testing.T) {
		s := serve(t, map[string][]answer{
			comments:                   {ok(`[%s]`, comment(2, "github-actions[bot]", boardMarker+"[{ -->")), ok(`[%s]`, bot(2, test))},
			"PATCH /issues/comments/2": {ok(`{}`)},
		})
		if err := s.client().UpdateBoard(t.Context(), 7, test); err != nil {
			t.Fatal(err)
		}
	})
}

func TestTheBoardShowsCommitsAndEnvironments(t *testing.T) {
	rows := []BoardRow{
		{Environment: "test", Commit: other, Result: "deployed"},
		{Environment: "test", Commit: head, Digest: "sha256:" + head, Result: "deployed", Tests: "12 tests passed", Approvers: []string{"grace", "linus"}},
		{Environment: "prod", Commit: head, Result: "promoted", Share: "25 % asked, 28 % of the pods"},
	}
	text := renderBoard(rows)
	now, before, folded := strings.Cut(text, "<details><summary>Earlier commits</summary>")
	if !folded || !strings.Contains(before, "`3333333`") || strings.Contains(before, "`1111111`") || strings.Contains(before, "Approved by") {
		t.Errorf("the earlier commit is\n%s", before)
	}
	for _, want := range []string{"| `1111111` | test | ✅ deployed | 12 tests passed | `sha256:111111111111` | grace, linus |", "| `1111111` | prod | ✅ promoted |  |", "25 % asked, 28 % of the pods |"} {
		if !strings.Contains(now, want) {
			t.Errorf("%q is not in\n%s", want, now)
		}
	}
	if got, marked := parseBoard(text); !marked || marshal(got) != marshal(rows) {
		t.Errorf("read back %+v", got)
	}
}

func TestTheBoardFitsIntoAComment(t *testing.T) {
	var rows []BoardRow
	row := BoardRow{}
	for i := range 200 {
		row = BoardRow{
			Environment: fmt.Sprint("env-", i), Commit: fmt.Sprintf("%040x", i), Result: strings.Repeat("*", 5000), Share: strings.Repeat("|", 5000),
			URL: "https://x/" + strings.Repeat("y", 900), RunURL: "https://x/" + strings.Repeat("y", 5000), Approvers: make([]string, 500),
		}.bounded()
		rows = withRow(rows, row)
	}
	if size := len(renderBoard(rows)); size > boardCap || len(rows) < 5 {
		t.Errorf("%d rows in %d bytes", len(rows), size)
	}
	if !has(rows, row) {
		t.Error("the row that was written is not there")
	}
	if row.RunURL != "" || len(row.Approvers) != approversCap+1 || row.Approvers[approversCap] != "and 490 more" {
		t.Errorf("got %+v", row)
	}
}
