package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/org/promote/pkg/change"
	"github.com/org/promote/pkg/gha"
)

const head = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

// runEvent runs the action for an event without any server: what it does before it asks anyone.
func runEvent(t *testing.T, event, payload string) (code int, outputs string, err error) {
	t.Helper()
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	out := file("output", "")
	env := map[string]string{
		"INPUT_ENVIRONMENT": "prod", "INPUT_SERVICE": "checkout", "INPUT_IMAGE": "registry.example.com/checkout", "INPUT_MANIFESTS": "deploy",
		"INPUT_CHECKS": oneCheck, "INPUT_MONITOR_URL": "http://127.0.0.1:1", "INPUT_GITHUB_TOKEN": "t",
		"GITHUB_EVENT_NAME": event, "GITHUB_EVENT_PATH": file("event.json", payload), "GITHUB_OUTPUT": out, "GITHUB_WORKSPACE": dir,
		"GITHUB_REPOSITORY": "org/shop", "GITHUB_API_URL": "http://127.0.0.1:1",
	}
	var log bytes.Buffer
	code = gha.Run(func(name string) string { return env[name] }, &log, func(ctx context.Context, a *gha.Action) error {
		err = run(ctx, a, surroundings{})
		return err
	})
	data, readErr := os.ReadFile(out)
	if readErr != nil {
		t.Fatal(readErr)
	}
	return code, string(data), err
}

func TestOnlyWhatIsMergedGoesOn(t *testing.T) {
	code, outputs, err := runEvent(t, "pull_request", `{"action":"opened","repository":{"full_name":"org/shop"},"pull_request":{"number":7,"state":"open",
		"head":{"ref":"x","sha":"`+head+`","repo":{"full_name":"org/shop"}},"base":{"ref":"main","sha":"`+head+`"}}}`)
	var refusal *change.Refusal
	if code != 1 || !errors.As(err, &refusal) || !strings.Contains(err.Error(), "push to the base branch") {
		t.Errorf("got %v", err)
	}
	if !strings.Contains(outputs, "result") || !strings.Contains(outputs, refused) {
		t.Errorf("outputs are %q", outputs)
	}
}

func TestADeletedBranchIsNothingToDo(t *testing.T) {
	code, outputs, err := runEvent(t, "push", `{"ref":"refs/heads/x","after":"0000000000000000000000000000000000000000","deleted":true,"repository":{"full_name":"org/shop"}}`)
	var neutral *change.Neutral
	if code != 0 || !errors.As(err, &neutral) || outputs != "" {
		t.Errorf("got exit code %d, %v, outputs %q", code, err, outputs)
	}
}
