package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/org/promote/pkg/gha"
	"github.com/org/promote/pkg/rollout"
)

const oneCheck = `- {name: errors, type: ratio, bad: 'sum(increase(r{release="$release",code=~"5.."}[$window]))', total: 'sum(increase(r{release="$release"}[$window]))', max: 0.01}`

// with reads the inputs from a good set with some changed; a change to "-" takes the input away.
func with(t *testing.T, changes map[string]string) (inputs, error) {
	t.Helper()
	env := map[string]string{
		"INPUT_ENVIRONMENT": "prod", "INPUT_SERVICE": "checkout", "INPUT_IMAGE": "registry.example.com/checkout",
		"INPUT_MANIFESTS": "deploy", "INPUT_CHECKS": oneCheck, "INPUT_GITHUB_TOKEN": "t", "GITHUB_WORKSPACE": t.TempDir(),
	}
	for k, v := range changes {
		if v == "-" {
			delete(env, k)
			continue
		}
		env[k] = v
	}
	from := surroundings{Kubeconfig: "/runner/kubeconfig", MonitorURL: "http://prometheus:9090"}
	return readInputs(gha.New(func(name string) string { return env[name] }, io.Discard), from)
}

func TestInputsThatAreLeftOutHaveTheirDefaults(t *testing.T) {
	got, err := with(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := rollout.Rules{
		StepDuration: 5 * time.Minute, StepLimit: 15 * time.Minute, HoldLimit: 15 * time.Minute, Interval: time.Second,
		Blind: 4, OnNoData: rollout.Rollback, OnCancel: rollout.Rollback,
	}
	if got.rules != want {
		t.Errorf("rules are %+v, want %+v", got.rules, want)
	}
	if !slices.Equal(got.steps, []float64{5, 25, 50, 100}) || got.surge != -1 || got.minRequests != 50 || got.MaxDeletions != 5 || got.Concurrency != "queue" || got.Force || got.mode != modeRun {
		t.Errorf("got %+v", got)
	}
	if got.Namespace != "prod" || got.Kubeconfig != "/runner/kubeconfig" || got.monitor.url != "http://prometheus:9090" {
		t.Errorf("got %+v", got)
	}
}

func TestInputsChangeWhatTheyName(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "checks.yaml"), []byte("checks:\n  "+oneCheck), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name    string
		changes map[string]string
		ok      func(inputs) bool
	}{
		{"steps end with all of the traffic", map[string]string{"INPUT_STEPS": "10%, 50"}, func(v inputs) bool { return slices.Equal(v.steps, []float64{10, 50, 100}) }},
		{"test-junit", map[string]string{"INPUT_TEST_COMMAND": "make e2e", "INPUT_TEST_JUNIT": "out/*.xml"}, func(v inputs) bool { return slices.Equal(v.TestJUnit, []string{"out/*.xml"}) }},
		{"test-env", map[string]string{"INPUT_TEST_COMMAND": "make e2e", "INPUT_TEST_ENV": "A, B\nC=1,2"}, func(v inputs) bool { return slices.Equal(v.TestEnv, []string{"A", "B", "C=1,2"}) }},
		{"gateway", map[string]string{"INPUT_TRAFFIC": "gateway"}, func(v inputs) bool { p, err := v.plan(4); return err == nil && p.Weighted && p.Steps[0].Achieved == 5 }},
		{"route53", map[string]string{"INPUT_TRAFFIC": "route53", "INPUT_HOSTED_ZONE_ID": "Z1", "INPUT_DNS_NAME": "shop.example.com", "INPUT_DNS_TTL": "5m"}, func(v inputs) bool {
			return v.traffic == trafficRoute53 && v.hostedZone == "Z1" && v.dnsName == "shop.example.com" && v.dnsTTL == 5*time.Minute
		}},
		{"surge", map[string]string{"INPUT_SURGE": "0"}, func(v inputs) bool { return v.surge == 0 }},
		{"step-duration moves the limit along", map[string]string{"INPUT_STEP_DURATION": "10s"}, func(v inputs) bool { return v.rules.StepLimit == 2*time.Minute }},
		{"step-limit", map[string]string{"INPUT_STEP_LIMIT": "9m"}, func(v inputs) bool { return v.rules.StepLimit == 9*time.Minute && v.rules.HoldLimit == 9*time.Minute }},
		{"bake", map[string]string{"INPUT_BAKE": "1m"}, func(v inputs) bool { return v.rules.Bake == time.Minute }},
		{"interval", map[string]string{"INPUT_INTERVAL": "30s"}, func(v inputs) bool { return v.rules.Interval == 30*time.Second }},
		{"on-no-data", map[string]string{"INPUT_ON_NO_DATA": "hold"}, func(v inputs) bool { return v.rules.OnNoData == rollout.Hold }},
		{"on-cancel", map[string]string{"INPUT_ON_CANCEL": "hold"}, func(v inputs) bool { return v.rules.OnCancel == rollout.Hold }},
		{"force", map[string]string{"INPUT_FORCE": "true"}, func(v inputs) bool { return v.Force }},
		{"max-deletions", map[string]string{"INPUT_MAX_DELETIONS": "0"}, func(v inputs) bool { return v.MaxDeletions == 0 }},
		{"concurrency", map[string]string{"INPUT_CONCURRENCY": "reject"}, func(v inputs) bool { return v.Concurrency == "reject" }},
		{"min-requests", map[string]string{"INPUT_MIN_REQUESTS": "7"}, func(v inputs) bool { return v.minRequests == 7 }},
		{"resume", map[string]string{"INPUT_MODE": "resume"}, func(v inputs) bool { return v.mode == modeResume && len(v.checks) == 1 }},
		{"reason of a promotion", map[string]string{"INPUT_MODE": "promote", "INPUT_REASON": "hotfix", "GITHUB_EVENT_NAME": "workflow_dispatch", "GITHUB_TRIGGERING_ACTOR": "ada"},
			func(v inputs) bool { return v.mode == modePromote && v.reason == "hotfix" && len(v.checks) == 1 }},
		{"reason of an abort", map[string]string{"INPUT_MODE": "abort", "INPUT_REASON": "alarm"}, func(v inputs) bool { return v.mode == modeAbort && v.reason == "alarm" }},
		{"mode", map[string]string{"INPUT_MODE": "plan"}, func(v inputs) bool { return v.mode == modePlan }},
		{"checks-file", map[string]string{"INPUT_CHECKS": "-", "INPUT_CHECKS_FILE": "checks.yaml", "GITHUB_WORKSPACE": dir}, func(v inputs) bool { return len(v.checks) == 1 && v.checks[0].Name == "errors" }},
		{"monitor-url", map[string]string{"INPUT_MONITOR_URL": "https://thanos/x"}, func(v inputs) bool { return v.monitor.url == "https://thanos/x" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, err := with(t, c.changes); err != nil || !c.ok(got) {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}

func TestInputsReportEveryProblemAtOnce(t *testing.T) {
	_, err := with(t, map[string]string{
		"INPUT_SERVICE": "-", "INPUT_IMAGE": "checkout:latest", "INPUT_STEPS": "50,25,lots", "INPUT_INTERVAL": "10m", "INPUT_STEP_LIMIT": "1m",
		"INPUT_MONITOR": "crystal-ball", "INPUT_MONITOR_URL": "prometheus:9090", "INPUT_ON_NO_DATA": "promote",
		"INPUT_CHECKS": "- {name: x, type: value, query: up}", "PROMOTE_RUNNER_ENVIRONMENT": "stage",
	})
	if err == nil {
		t.Fatal("all of it was taken")
	}
	for _, want := range []string{
		`"service" is required`, `"image"`, "25 after 50", `"lots"`, `"interval" is 10m`, `"step-limit" is 1m`, "crystal-ball", `"monitor-url"`,
		`"promote"; set it to one of: rollback, hold`, "`query` holds no $release", "neither `min` nor `max`", "runs-on",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %s:\n%v", want, err)
		}
	}
}

func TestADNSNameGoesWithRoute53Alone(t *testing.T) {
	for _, changes := range []map[string]string{
		{"INPUT_TRAFFIC": "route53"}, {"INPUT_TRAFFIC": "gateway", "INPUT_HOSTED_ZONE_ID": "Z1", "INPUT_DNS_NAME": "shop.example.com"},
	} {
		_, err := with(t, changes)
		for _, input := range []string{`"hosted-zone-id"`, `"dns-name"`} {
			if err == nil || !strings.Contains(err.Error(), input) {
				t.Errorf("%v: the error does not name %s: %v", changes, input, err)
			}
		}
	}
}

func TestChecksComeFromExactlyOnePlace(t *testing.T) {
	for _, changes := range []map[string]string{{"INPUT_CHECKS": "-"}, {"INPUT_CHECKS_FILE": "x.yaml"}, {"INPUT_CHECKS": "-", "INPUT_CHECKS_FILE": "nowhere.yaml"}} {
		if _, err := with(t, changes); err == nil || !strings.Contains(err.Error(), "checks") {
			t.Errorf("%v: got %v", changes, err)
		}
	}
}

func TestAPlanThatCannotShareIsRefused(t *testing.T) {
	v, err := with(t, map[string]string{"INPUT_SURGE": "0"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.plan(1); err == nil || !strings.Contains(err.Error(), "`surge`") {
		t.Errorf("got %v", err)
	}
	if p, err := v.plan(4); err != nil || len(p.Steps) < 2 {
		t.Errorf("got %+v, %v", p, err)
	}
}

func TestTheClusterIsNamedOneWayOnly(t *testing.T) {
	for name, test := range map[string]struct {
		given               map[string]string
		cluster, kubeconfig string
		problem             string
	}{
		"nothing is given: the runner's kubeconfig": {nil, "", "/runner/kubeconfig", ""},
		"a kubeconfig is": {map[string]string{"INPUT_KUBECONFIG": "/other"}, "", "/other", ""},
		"an EKS cluster is, and outranks the runner's kubeconfig": {map[string]string{"INPUT_CLUSTER": "prod"}, "prod", "", ""},
		"both are":  {map[string]string{"INPUT_CLUSTER": "prod", "INPUT_KUBECONFIG": "/other"}, "", "", "both set"},
		"an ARN is": {map[string]string{"INPUT_CLUSTER": "arn:aws:eks:eu-west-1:1:cluster/prod"}, "", "", "aws eks list-clusters"},
	} {
		got, err := with(t, test.given)
		switch {
		case test.problem != "":
			if err == nil || !strings.Contains(err.Error(), test.problem) || !strings.Contains(err.Error(), "cluster") {
				t.Errorf("%s: got %v, want %q", name, err, test.problem)
			}
		case err != nil || got.Cluster != test.cluster || got.Kubeconfig != test.kubeconfig:
			t.Errorf("%s: got cluster %q, kubeconfig %q, %v", name, got.Cluster, got.Kubeconfig, err)
		}
	}
}

func TestTheFileOfChecksStaysInTheCheckout(t *testing.T) {
	workspace, secret := t.TempDir(), filepath.Join(t.TempDir(), "credentials")
	err := errors.Join(os.WriteFile(secret, []byte("aws_secret_access_key: hunter2"), 0o600), os.Symlink(secret, filepath.Join(workspace, "checks.yaml")),
		os.Symlink("/dev/zero", filepath.Join(workspace, "endless.yaml")), os.Symlink("../"+filepath.Base(workspace), filepath.Join(workspace, "self")))
	if err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{"checks.yaml": "leads out of the checkout", "endless.yaml": "leads out of the checkout", "missing.yaml": "no such file", "self": "not a regular file"} {
		_, err := with(t, map[string]string{"INPUT_CHECKS": "-", "INPUT_CHECKS_FILE": file, "GITHUB_WORKSPACE": workspace})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: got %v", file, err)
		}
	}
}
