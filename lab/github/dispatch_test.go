package github

import (
	"errors"
	"net/http"
	"testing"
)

const dispatchable = `on:
  workflow_dispatch:
    inputs:
      where: {type: choice, options: [here, there], required: true}
      why: {type: string, default: because}
`

func TestDispatch(t *testing.T) {
	w := newWorld(t)
	w.commit("ada", ".github/workflows/go.yml", dispatchable, "Let people start it")
	w.commit("ada", ".github/workflows/push.yml", "on: {push: {}}\n", "Nobody starts this one")
	w.push("main")
	start := func(workflow string, inputs map[string]string, by string) (Event, error) {
		return w.repo.Dispatch(t.Context(), workflow, "main", inputs, by)
	}
	event, err := start("go.yml", map[string]string{"where": "there"}, "ada")
	check(t, err)
	got := parse[struct {
		Inputs        map[string]string
		Ref, Workflow string
	}](t, event)
	if got.Inputs["where"] != "there" || got.Inputs["why"] != "because" || got.Ref != "refs/heads/main" || got.Workflow != ".github/workflows/go.yml" {
		t.Errorf("got %+v", got)
	}
	for name, on := range map[string]string{"bare.yml": "{schedule: [{cron: 1 1 1 1 1}], workflow_dispatch: }", "list.yml": "[push, workflow_dispatch]", "word.yml": "workflow_dispatch"} {
		w.commit("ada", ".github/workflows/"+name, "on: "+on+"\n", "Let people start it without inputs")
		w.push("main")
		if _, err := start(name, nil, "ada"); err != nil {
			t.Errorf("on: %s: %v", on, err)
		}
	}
	for _, refused := range []struct {
		workflow, by string
		inputs       map[string]string
		status       int
	}{
		{"go.yml", "linus", map[string]string{"where": "here"}, http.StatusForbidden},
		{"none.yml", "ada", nil, http.StatusNotFound},
		{"push.yml", "ada", nil, http.StatusUnprocessableEntity},
		{"bare.yml", "ada", map[string]string{"who": "me"}, http.StatusUnprocessableEntity},
		{"go.yml", "ada", nil, http.StatusUnprocessableEntity},
		{"go.yml", "ada", map[string]string{"where": "nowhere"}, http.StatusUnprocessableEntity},
		{"go.yml", "ada", map[string]string{"where": "here", "who": "me"}, http.StatusUnprocessableEntity},
	} {
		_, err := start(refused.workflow, refused.inputs, refused.by)
		var refusal *Refusal
		if !errors.As(err, &refusal) || refusal.Status != refused.status {
			t.Errorf("%s by %s with %v: got %v, want %d", refused.workflow, refused.by, refused.inputs, err, refused.status)
		}
	}
}
