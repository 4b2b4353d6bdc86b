package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/org/promote/pkg/gha"
)

func TestEachMonitorTakesItsInputs(t *testing.T) {
	for name, c := range map[string]struct {
		changes map[string]string
		ok      func(monitor) bool
	}{
		"prometheus by default, at the runner's address": {nil, func(m monitor) bool { return m.kind == prometheus && m.url == "http://prometheus:9090" && !m.sign }},
		"prometheus with a token":                        {map[string]string{"INPUT_MONITOR_TOKEN": "hunter2"}, func(m monitor) bool { return m.token == "hunter2" }},
		"prometheus with a password":                     {map[string]string{"INPUT_MONITOR_USER": "ada", "INPUT_MONITOR_TOKEN": "hunter2"}, func(m monitor) bool { return m.user == "ada" }},
		"prometheus with a signature": {map[string]string{"INPUT_MONITOR_AUTH": "sigv4", "INPUT_AWS_REGION": "eu-west-1"},
			func(m monitor) bool { return m.sign && m.region == "eu-west-1" }},
		"Amazon's is signed for in its own region": {map[string]string{"INPUT_MONITOR_URL": "https://aps-workspaces.eu-central-1.amazonaws.com/workspaces/ws-1", "INPUT_AWS_REGION": "us-east-1"},
			func(m monitor) bool { return m.sign && m.region == "eu-central-1" }},
		"also behind an endpoint of one's own": {map[string]string{"INPUT_MONITOR_URL": "https://vpce-1.aps-workspaces.eu-central-1.vpce.amazonaws.com/workspaces/ws-1"}, func(m monitor) bool { return m.sign }},
		"but nobody who only looks like it":    {map[string]string{"INPUT_MONITOR_URL": "https://aps-workspaces.eu-central-1.amazonaws.com.evil.example"}, func(m monitor) bool { return !m.sign }},
		"datadog": {map[string]string{"INPUT_MONITOR": "datadog", "INPUT_MONITOR_SITE": "datadoghq.eu", "INPUT_MONITOR_TOKEN": "hunter2", "INPUT_MONITOR_APP_KEY": "hunter3"},
			func(m monitor) bool {
				return m.site == "datadoghq.eu" && m.url == "" && m.token == "hunter2" && m.more == "hunter3"
			}},
		"newrelic": {map[string]string{"INPUT_MONITOR": "newrelic", "INPUT_MONITOR_SITE": "EU", "INPUT_MONITOR_TOKEN": "hunter2", "INPUT_MONITOR_ACCOUNT": "42"},
			func(m monitor) bool { return m.site == "EU" && m.account == 42 }},
		"cloudwatch": {map[string]string{"INPUT_MONITOR": "cloudwatch", "INPUT_AWS_REGION": "eu-west-1"}, func(m monitor) bool { return m.region == "eu-west-1" }},
		"pods":       {map[string]string{"INPUT_MONITOR": "pods"}, func(m monitor) bool { return m.kind == pods && m.url == "" }},
	} {
		if got, err := with(t, c.changes); err != nil || !c.ok(got.monitor) {
			t.Errorf("%s: got %+v, %v", name, got.monitor, err)
		}
	}
}

func TestAMonitorIsAskedAsOftenAsItHasNews(t *testing.T) {
	for kind, want := range map[string]time.Duration{"prometheus": time.Second, "pods": time.Second, "cloudwatch": 30 * time.Second} {
		if got, err := with(t, map[string]string{"INPUT_MONITOR": kind}); err != nil || got.rules.Interval != want {
			t.Errorf("%s: got %s, %v", kind, got.rules.Interval, err)
		}
	}
	if got, err := with(t, map[string]string{"INPUT_MONITOR": "cloudwatch", "INPUT_INTERVAL": "90s"}); err != nil || got.rules.Interval != 90*time.Second {
		t.Errorf("got %s, %v", got.rules.Interval, err)
	}
}

func TestWhatIsWrongWithAMonitorComesAtOnce(t *testing.T) {
	for name, c := range map[string]struct {
		changes map[string]string
		want    []string
	}{
		"prometheus": {
			map[string]string{"INPUT_MONITOR_URL": "http://ada:hunter2@bad host", "INPUT_MONITOR_USER": "ada", "INPUT_MONITOR_CA": "/nowhere", "INPUT_MONITOR_CERT": "-----BEGIN x", "INPUT_MONITOR_ACCOUNT": "1", "INPUT_MONITOR_AUTH": "magic"},
			[]string{`"monitor-url" does not name`, `"monitor-user" has no password`, `"monitor-ca" is neither`, `"monitor-cert" and`, `"monitor-account" is not for`, "monitor-auth", "sigv4"},
		},
		"a signature and a token":   {map[string]string{"INPUT_MONITOR_AUTH": "sigv4", "INPUT_MONITOR_TOKEN": "hunter2"}, []string{`"monitor-token" and`}},
		"an authority that is none": {map[string]string{"INPUT_MONITOR_CA": "-----BEGIN CERTIFICATE-----"}, []string{`"monitor-ca" is no certificate authority`}},
		"datadog": {
			map[string]string{"INPUT_MONITOR": "datadog", "INPUT_MONITOR_SITE": "datadog.com", "INPUT_MONITOR_URL": "api", "INPUT_MONITOR_ACCOUNT": "1"},
			[]string{`"monitor-token" is required`, `"monitor-app-key" is required`, `no Datadog site "datadog.com"`, `"monitor-url" is wrong`, `"monitor-account" is not for`},
		},
		"newrelic": {
			map[string]string{"INPUT_MONITOR": "newrelic", "INPUT_MONITOR_SITE": "moon", "INPUT_MONITOR_ACCOUNT": "mine", "INPUT_MONITOR_APP_KEY": "hunter2"},
			[]string{`"monitor-token" is required`, `"monitor-account" is "mine"`, `region "moon"`, `"monitor-app-key" is not for`},
		},
		"cloudwatch": {map[string]string{"INPUT_MONITOR": "cloudwatch", "INPUT_MONITOR_TOKEN": "hunter2"}, []string{`"monitor-token" is not for`, "none of the inputs"}},
		"pods":       {map[string]string{"INPUT_MONITOR": "pods", "INPUT_MONITOR_URL": "http://x"}, []string{`"monitor-url" is not for`}},
	} {
		_, err := with(t, c.changes)
		for _, want := range c.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: the error does not say %s:\n%v", name, want, err)
			}
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the error shows a secret: %v", name, err)
		}
	}
}

func TestTheMonitorsSecretsAreMasked(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "key.pem"), []byte("-----BEGIN PRIVATE KEY-----\nhunter5\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{
		"INPUT_MONITOR_TOKEN": "hunter2", "INPUT_MONITOR_APP_KEY": "hunter3", "INPUT_MONITOR_URL": "http://ada:hunter4@prometheus:9090",
		"INPUT_MONITOR_KEY": "key.pem", "GITHUB_WORKSPACE": dir,
	}
	var log bytes.Buffer
	a := gha.New(func(name string) string { return env[name] }, &log)
	readMonitor(a, a.Inputs(), dir, "")
	for _, secret := range []string{"hunter2", "hunter3", "hunter4", "hunter5"} {
		if a.Redact("it is "+secret) == "it is "+secret || !strings.Contains(log.String(), "::add-mask::"+secret) {
			t.Errorf("%s is not masked:\n%s", secret, log.String())
		}
	}
}
