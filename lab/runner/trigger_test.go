package runner

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestStarts(t *testing.T) {
	const production = "on: {push: {branches: [main]}}\njobs: {canary: {runs-on: [self-hosted, promote-prod]}}"
	for _, tc := range []struct {
		name, workflow, event, payload string
		want                           bool
	}{
		{"a push to main starts production", production, "push", `{"ref":"refs/heads/main"}`, true},
		{"a push to a branch does not start production", production, "push", `{"ref":"refs/heads/feature"}`, false},
		{"a tag does not start production", production, "push", `{"ref":"refs/tags/v1"}`, false},
		{"another event does not start production", production, "pull_request", `{"action":"opened"}`, false},
		{"a pull request without types starts when opened", "on: pull_request", "pull_request", `{"action":"opened","pull_request":{"base":{"ref":"main"}}}`, true},
		{"a pull request without types does not start when closed", "on: [pull_request]", "pull_request", `{"action":"closed","pull_request":{"base":{"ref":"main"}}}`, false},
		{"a review starts when its type is named", "on: {pull_request_review: {types: [submitted]}}", "pull_request_review", `{"action":"submitted"}`, true},
		{"a dismissed review does not start what wants submitted ones", "on: {pull_request_review: {types: [submitted]}}", "pull_request_review", `{"action":"dismissed"}`, false},
		{"an ignored branch does not start", "on: {push: {branches-ignore: [main]}}", "push", `{"ref":"refs/heads/main"}`, false},
		{"a pattern for all branches starts", "on: {push: {branches: ['**']}}", "push", `{"ref":"refs/heads/a/b"}`, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w, err := Parse("w.yml", []byte(tc.workflow))
			if err != nil {
				t.Fatal(err)
			}
			got, err := w.Starts(tc.event, []byte(tc.payload))
			if err != nil {
				t.Fatal(err)
			}
			if got != tc.want {
				t.Errorf("Starts = %v, want %v", got, tc.want)
			}
		})
	}
}

func TestLabelsLeaveOutSelfHosted(t *testing.T) {
	w, err := Parse("w.yml", []byte("on: push\njobs: {a: {runs-on: [self-hosted, promote-prod]}, b: {runs-on: ubuntu-latest}}"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"promote-prod", "ubuntu-latest"}, w.Labels(nil)); diff != "" {
		t.Error(diff)
	}
}

func TestATokenForACloudIsNoRightOfTheRunsOwn(t *testing.T) {
	w, err := Parse("w.yml", []byte("on: push\njobs: {a: {permissions: {id-token: write, contents: read}}, b: {permissions: {contents: write}}}"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"contents": "write"}, w.Permissions()); diff != "" {
		t.Error(diff)
	}
}

func TestUsesListsEachActionOnce(t *testing.T) {
	w, err := Parse("w.yml", []byte("on: push\njobs: {a: {steps: [{uses: c/d@v1}, {run: x}]}, b: {steps: [{uses: a/b/e@v1}, {uses: c/d@v1}]}}"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a/b/e@v1", "c/d@v1"}, w.Uses()); diff != "" {
		t.Error(diff)
	}
}
