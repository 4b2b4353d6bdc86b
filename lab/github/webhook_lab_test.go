//go:build lab

package github

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// shape maps each path inside JSON values ("pull_request.head.sha", "commits[].id") to the JSON types seen there.
type shape map[string]map[string]bool

// add walks a value; arrays are folded into one path.
func (s shape) add(path string, value any) {
	path = sameKind.Replace(path)
	note := func(kind string) {
		if s[path] == nil {
			s[path] = map[string]bool{}
		}
		s[path][kind] = true
	}
	switch value := value.(type) {
	case nil:
		note("null")
	case bool:
		note("boolean")
	case float64:
		note("number")
	case string:
		note("string")
	case []any:
		note("array")
		for _, one := range value {
			s.add(path+"[]", one)
		}
	case map[string]any:
		note("object")
		for name, one := range value {
			s.add(strings.TrimPrefix(path+"."+name, "."), one)
		}
	}
}

func shapeOf(values ...any) shape {
	s := shape{}
	for _, value := range values {
		s.add("", value)
	}
	return s
}

// examples are GitHub's own payloads of one event.
func examples(t *testing.T, event string) []any {
	t.Helper()
	data, err := webhooks.file("api.github.com/index.json")
	check(t, err)
	var all []struct {
		Name     string
		Examples []any
	}
	check(t, json.Unmarshal(data, &all))
	for _, one := range all {
		if one.Name == event {
			return one.Examples
		}
	}
	t.Fatalf("there are no examples of %q", event)
	return nil
}

// ours are the keys that no example has, with the reason why the payloads have them all the same.
var ours = map[string]string{
	"pull_request_review number":     "the runner act finds the pull request by it",
	"workflow_dispatch inputs.where": "the names of inputs are the workflow's own",
	"workflow_dispatch inputs.why":   "as above",
}

// rare are the types that GitHub's description gives a path but that no example happens to have there.
var rare = map[string]string{
	"repository.language":    "null",   // a repository without code in a language that GitHub knows
	"pull_request.merged_at": "string", // no example is of a pull request that was merged
	"pull_request.merged_by": "object",
	"review.body":            "string",
}

// absent are the keys that every example has but a workflow's payload here does not.
var absent = map[string]string{
	"installation":                 "only a GitHub App's webhooks have it; those a workflow gets do not",
	"installation.id":              "as above",
	"installation.node_id":         "as above",
	"repository.custom_properties": "an organization defines them, and none is defined here",
}

// sameKind folds the paths at which GitHub has the same kind of object.
var sameKind = strings.NewReplacer("pull_request.head.repo", "repository", "pull_request.base.repo", "repository", "merged_by.", "user.")

// differences compares a payload with the examples: each key of ours must be in some example with that
// type, and what all examples of the same event and action have must be in ours. The related examples are
// of an event that shares its objects, and only widen what may be.
func differences(event string, payload any, all, related []any) []string {
	known := shapeOf(slices.Concat(all, related)...)
	mine := shapeOf(payload)
	var found []string
	for _, path := range slices.Sorted(maps.Keys(mine)) {
		if ours[event+" "+path] != "" {
			continue
		}
		for kind := range mine[path] {
			switch {
			case known[path] == nil:
				found = append(found, fmt.Sprintf("no example has %s", path))
			case !known[path][kind] && rare[path] != kind:
				found = append(found, fmt.Sprintf("%s is a %s; in the examples it is %v", path, kind, slices.Sorted(maps.Keys(known[path]))))
			}
		}
	}
	for _, path := range slices.Sorted(maps.Keys(inAll(payload, all))) {
		// An organization's repositories send it along; nothing reads it.
		if strings.HasPrefix(path, "organization") {
			continue
		}
		if mine[path] == nil && absent[path] == "" && !strings.Contains(path, "[]") {
			found = append(found, fmt.Sprintf("%s is missing; every example has it", path))
		}
	}
	return found
}

// inAll are the paths that every example with the payload's action has.
func inAll(payload any, all []any) shape {
	action := payload.(map[string]any)["action"]
	var common shape
	for _, example := range all {
		if example.(map[string]any)["action"] != action {
			continue
		}
		one := shapeOf(example)
		if common == nil {
			common = one
		}
		maps.DeleteFunc(common, func(path string, _ map[string]bool) bool { return one[path] == nil })
	}
	return common
}

func TestPayloadsHaveTheShapeOfGitHubs(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	p := w.pull("feature")
	w.git("checkout", "--quiet", "feature")
	w.commit("ada", "more.txt", "more\n", "More")
	w.push("feature")
	for _, how := range []string{"COMMENT", "REQUEST_CHANGES", "APPROVE"} {
		_, err := w.repo.Review(ctx, p.Number, "grace", how, "Because")
		check(t, err)
	}
	for _, draft := range []bool{true, false} {
		_, err := w.repo.SetDraft(ctx, p.Number, draft, "ada")
		check(t, err)
	}
	w.git("checkout", "--quiet", "main")
	w.commit("ada", ".github/workflows/go.yml", dispatchable, "Let people start it")
	w.push("main")
	_, err := w.repo.Dispatch(ctx, "go.yml", "main", map[string]string{"where": "here"}, "ada")
	check(t, err)
	g, err := w.repo.Queue(ctx, Squash, "grace", p.Number)
	check(t, err)
	_, err = w.repo.Land(ctx, g, "grace")
	check(t, err)
	w.git("push", "--quiet", "origin", "--delete", "feature")
	_, err = w.repo.PushBranch(ctx, "feature", "ada")
	check(t, err)

	seen := map[string]bool{}
	for _, event := range w.server.Events() {
		var payload any
		check(t, json.Unmarshal(event.Payload, &payload))
		action, _ := payload.(map[string]any)["action"].(string)
		seen[strings.TrimSpace(event.Name+" "+action)] = true
		if action == "enqueued" || action == "destroyed" {
			continue // GitHub has published no example of them
		}
		t.Run(event.Name+" "+action, func(t *testing.T) {
			var related []any
			if event.Name == "pull_request_review" || event.Name == "merge_group" {
				related = examples(t, "pull_request")
			}
			for _, difference := range differences(event.Name, payload, examples(t, event.Name), related) {
				t.Error(difference)
			}
		})
	}
	for _, want := range []string{"push", "pull_request opened", "pull_request synchronize", "pull_request closed", "pull_request_review submitted", "pull_request converted_to_draft", "pull_request ready_for_review", "merge_group checks_requested", "workflow_dispatch"} {
		if !seen[want] {
			t.Errorf("no %s was compared", want)
		}
	}
}

func TestTheComparisonObjects(t *testing.T) {
	example := map[string]any{"action": "opened", "number": 1.0, "sender": map[string]any{"login": "x"}}
	for _, test := range []struct {
		name    string
		payload map[string]any
		want    string
	}{
		{"the same shape", map[string]any{"action": "opened", "number": 2.0, "sender": map[string]any{"login": "y"}}, "[]"},
		{"a key of our own", map[string]any{"action": "opened", "number": 2.0, "colour": "red", "sender": map[string]any{"login": "y"}}, "[no example has colour]"},
		{"a number as text", map[string]any{"action": "opened", "number": "2", "sender": map[string]any{"login": "y"}}, "[number is a string; in the examples it is [number]]"},
		{"a missing key", map[string]any{"action": "opened", "number": 2.0, "sender": map[string]any{}}, "[sender.login is missing; every example has it]"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := fmt.Sprint(differences("x", test.payload, []any{example}, nil)); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}
