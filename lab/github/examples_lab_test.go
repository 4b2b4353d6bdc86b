//go:build lab

package github

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/org/promote/pkg/change"
)

var update = flag.Bool("update", false, "write the golden files of testdata anew")

// promoted are the events whose payloads are read for a change.
var promoted = []string{"push", "pull_request", "pull_request_review", "pull_request_review_comment", "merge_group", "workflow_dispatch"}

// products are the folders of the examples: github.com's, and those of GitHub Enterprise Server.
var products = []string{"api.github.com", "ghes-31", "ghes-32", "ghes-33", "ghes-34", "ghes-35"}

// TestEveryExampleOfGitHubsIsAChangeOrANamedReason reads every payload that GitHub has published of the events, and holds
// what became of each in a file for people to read.
func TestEveryExampleOfGitHubsIsAChangeOrANamedReason(t *testing.T) {
	read := 0
	found := map[string][]string{} // event, action and decision -> where it was seen
	for _, product := range products {
		for _, event := range promoted {
			for i, payload := range examplesOf(t, product, event) {
				got, err := change.FromEvent(event, payload)
				decision := change.Decision(got, err)
				if strings.HasPrefix(decision, "invalid") {
					t.Errorf("%s %s[%d]: %s", product, event, i, decision)
				}
				var p struct{ Action string }
				check(t, json.Unmarshal(payload, &p))
				line := fmt.Sprintf("%s\n\t%s", strings.TrimSpace(event+" "+p.Action), decision)
				found[line] = append(found[line], fmt.Sprintf("%s[%d]", product, i))
				read++
			}
		}
	}
	var table strings.Builder
	fmt.Fprintf(&table, "%d payloads of %s@%s\n", read, webhooks.name, webhooks.version)
	var lines []string
	for line, where := range found {
		lines = append(lines, fmt.Sprintf("%s\n\t%s\n", line, strings.Join(where, " ")))
	}
	slices.Sort(lines)
	table.WriteString(strings.Join(lines, ""))
	const path = "testdata/webhooks-examples.golden"
	if *update {
		check(t, os.WriteFile(path, []byte(table.String()), 0o644))
		return
	}
	if diff := cmp.Diff(readFile(t, path), table.String()); diff != "" {
		t.Errorf("the decisions are not those of %s; see whether each is meant, then run the test with -update:\n%s", path, diff)
	}
}

// examplesOf are the payloads of an event of one of GitHub's products; older ones don't have every event.
func examplesOf(t *testing.T, product, event string) []json.RawMessage {
	t.Helper()
	data, err := webhooks.file(product + "/index.json")
	check(t, err)
	var all []struct {
		Name     string
		Examples []json.RawMessage
	}
	check(t, json.Unmarshal(data, &all))
	for _, one := range all {
		if one.Name == event {
			return one.Examples
		}
	}
	return nil
}
