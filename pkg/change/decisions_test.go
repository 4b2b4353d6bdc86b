package change

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write testdata/decisions.golden anew")

// edit changes fields of a payload, by their path.
type edit map[string]any

// cases are the things that can happen, each as a payload of testdata with some fields changed.
var cases = []struct {
	event, name, file string
	edit              edit
}{
	{"push", "to a branch", "push", nil},
	{"push", "by Dependabot", "push", edit{"sender.login": dependabot}},
	{"push", "of a merge queue's own branch", "push", edit{"ref": "refs/heads/gh-readonly-queue/main/pr-7-6113728f27ae82c7b1a177c8d03f9e96e0adf246"}},
	{"push", "that deletes a branch", "push_deleted", nil},
	{"push", "of a tag", "push_tag", nil},
	{"push", "that deletes a tag", "push_tag", edit{"deleted": true, "after": strings.Repeat("0", 40)}},
	{"push", "of a note", "push", edit{"ref": "refs/notes/commits"}},
	{"pull_request", "synchronize", "pull_request", nil},
	{"pull_request", "opened", "pull_request", edit{"action": "opened"}},
	{"pull_request", "opened as a draft", "pull_request", edit{"action": "opened", "pull_request.draft": true}},
	{"pull_request", "opened by Dependabot", "pull_request", edit{"action": "opened", "sender.login": dependabot, "pull_request.user.login": dependabot}},
	{"pull_request", "Dependabot's, reopened by a person", "pull_request", edit{"action": "reopened", "pull_request.user.login": dependabot}},
	{"pull_request", "opened by another bot", "pull_request", edit{"action": "opened", "sender.login": "renovate[bot]", "pull_request.user.login": "renovate[bot]"}},
	{"pull_request", "by an account that is gone", "pull_request", edit{"pull_request.user": nil}},
	{"pull_request", "from a fork", "pull_request_fork", nil},
	{"pull_request", "from a fork that is gone", "pull_request_fork_deleted", nil},
	{"pull_request", "reopened", "pull_request", edit{"action": "reopened"}},
	{"pull_request", "ready_for_review", "pull_request", edit{"action": "ready_for_review"}},
	{"pull_request", "converted_to_draft", "pull_request", edit{"action": "converted_to_draft", "pull_request.draft": true}},
	{"pull_request", "edited: title", "pull_request", edit{"action": "edited", "changes": edit{"title": edit{"from": "x"}}}},
	{"pull_request", "edited: base branch", "pull_request", edit{"action": "edited", "changes": edit{"base": edit{"ref": edit{"from": "develop"}}}}},
	{"pull_request", "closed: merged", "pull_request_closed", edit{"pull_request.merged": true}},
	{"pull_request", "closed: not merged", "pull_request_closed", edit{"pull_request.merged": false}},
	{"pull_request", "enqueued", "pull_request", edit{"action": "enqueued"}},
	{"pull_request", "dequeued", "pull_request", edit{"action": "dequeued", "reason": "MANUAL"}},
	{"pull_request", "labeled", "pull_request_labeled", nil},
	{"pull_request", "review_requested", "pull_request", edit{"action": "review_requested"}},
	{"pull_request", "an action of the future", "pull_request", edit{"action": "teleported"}},
	{"pull_request_review", "approved", "review_approved", nil},
	{"pull_request_review", "approved, of a draft", "review_approved", edit{"pull_request.draft": true}},
	{"pull_request_review", "approved by a person, of Dependabot's", "review_approved", edit{"pull_request.user.login": dependabot}},
	{"pull_request_review", "approved, of an older commit", "review_approved", edit{"review.commit_id": "6113728f27ae82c7b1a177c8d03f9e96e0adf246"}},
	{"pull_request_review", "approved, of a fork's", "review_approved", edit{"pull_request.head.repo.full_name": "mallory/checkout"}},
	{"pull_request_review", "approved, after the close", "review_approved_after_close", nil},
	{"pull_request_review", "commented", "review_commented", nil},
	{"pull_request_review", "changes requested", "review_approved", edit{"review.state": "changes_requested"}},
	{"pull_request_review", "dismissed", "review_dismissed", nil},
	{"pull_request_review", "edited", "review_approved", edit{"action": "edited"}},
	{"pull_request_review_comment", "created", "pull_request", edit{"action": "created"}},
	{"merge_group", "checks_requested", "merge_group", nil},
	{"merge_group", "destroyed: merged", "merge_group", edit{"action": "destroyed", "reason": "merged"}},
	{"merge_group", "destroyed: invalidated", "merge_group", edit{"action": "destroyed", "reason": "invalidated"}},
	{"workflow_dispatch", "on a branch", "dispatch", nil},
	{"workflow_dispatch", "with a commit", "dispatch_commit", nil},
	{"workflow_dispatch", "with a short commit", "dispatch_commit", edit{"inputs.commit": "1a2b3c4"}},
	{"workflow_dispatch", "on a tag", "dispatch", edit{"ref": "refs/tags/v1.0.0"}},
	{"pull_request_target", "opened", "pull_request", edit{"action": "opened"}},
	{"issue_comment", "created", "pull_request", edit{"action": "created"}},
	{"schedule", "", "push", nil},
}

// edited gives the payload of a file with fields changed.
func edited(t *testing.T, file string, e edit) []byte {
	t.Helper()
	var root map[string]any
	if err := json.Unmarshal(payloadFile(t, file), &root); err != nil {
		t.Fatal(err)
	}
	for path, value := range e {
		at := root
		names := strings.Split(path, ".")
		for _, name := range names[:len(names)-1] {
			at = at[name].(map[string]any)
		}
		at[names[len(names)-1]] = value
	}
	data, err := json.Marshal(root)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestEveryEventIsDecidedOnPurpose(t *testing.T) {
	var table strings.Builder
	for _, c := range cases {
		got, err := FromEvent(c.event, edited(t, c.file, c.edit))
		if err != nil && got != (Change{}) {
			t.Errorf("%s, %s: an error came with the change %+v", c.event, c.name, got)
		}
		fmt.Fprintf(&table, "%s: %s\n\t%s\n", c.event, c.name, Decision(got, err))
	}
	golden(t, "decisions.golden", table.String())
}

// TestNoReasonIsWithoutAName keeps the names usable: each reason has one, and one name has one kind of ending.
func TestNoReasonIsWithoutAName(t *testing.T) {
	kinds := map[string]string{}
	for _, c := range cases {
		_, err := FromEvent(c.event, edited(t, c.file, c.edit))
		var neutral *Neutral
		var refusal *Refusal
		var name, kind string
		switch {
		case errors.As(err, &neutral):
			name, kind = neutral.Name, "neutral"
		case errors.As(err, &refusal):
			name, kind = refusal.Name, "refusal"
		default:
			continue
		}
		if name == "" || kinds[name] != "" && kinds[name] != kind {
			t.Errorf("%s, %s: the name is %q, as a %s and as a %s", c.event, c.name, name, kind, kinds[name])
		}
		kinds[name] = kind
	}
}

// golden compares text with a file of testdata, which -update writes.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("the decisions are not those of %s; see whether each is meant, then run the test with -update:\n%s", path, diff)
	}
}
