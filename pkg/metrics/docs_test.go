package metrics

import (
	"os"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"
)

// The examples that people copy are read as they would be.
func TestTheDocumentedChecksAreRead(t *testing.T) {
	page, err := os.ReadFile("../../docs/monitors.md")
	if err != nil {
		t.Fatal(err)
	}
	reads := map[string]func(query string) error{
		"prometheus": func(string) error { return nil },
		"datadog": func(query string) error {
			if !strings.HasSuffix(query, ".as_count()[300s]") {
				return wrongKind("no count over the window")
			}
			return nil
		},
		"newrelic": func(query string) error {
			_, err := parseNRQL(query, time.Now())
			return err
		},
		"cloudwatch": func(query string) error {
			text, window := cutWindow(query)
			_, err := parseCloudWatch(text, window > 0)
			return err
		},
		"pods": func(query string) error {
			_, _, err := parsePodQuery(query)
			return err
		},
	}
	seen := map[string]bool{}
	for _, block := range strings.Split(string(page), "```yaml\n")[1:] {
		block, _, _ = strings.Cut(block, "```")
		var with struct{ Monitor, Checks string }
		if err := yaml.Unmarshal([]byte(block), &with); err != nil {
			t.Fatalf("%v in\n%s", err, block)
		}
		seen[with.Monitor] = true
		checks, err := ParseChecks([]byte(with.Checks))
		if err != nil || len(checks) < 2 || reads[with.Monitor] == nil {
			t.Errorf("%s: got %d checks, %v", with.Monitor, len(checks), err)
			continue
		}
		fill := filling{release: "1a2b3c4-d5e6f7", namespace: "prod", service: "checkout", window: 5 * time.Minute}
		for _, c := range checks {
			for _, query := range []string{c.Bad, c.Total} {
				filled, err := fill.fill(query)
				if err == nil {
					err = reads[with.Monitor](filled)
				}
				if err != nil {
					t.Errorf("%s, %s: %v", with.Monitor, filled, err)
				}
			}
		}
	}
	for name := range reads {
		if !seen[name] {
			t.Errorf("there is no example for %s", name)
		}
	}
}
