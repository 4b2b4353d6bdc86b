package main

import (
	"context"
	"errors"
	"flag"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/org/promote/pkg/gha"
	"github.com/org/promote/pkg/job"
)

const template = `apiVersion: apps/v1
kind: Deployment
metadata: {name: checkout}
spec:
  replicas: {{ param "/checkout/replicas" | int }}
  selector: {matchLabels: {app: checkout}}
  template:
    metadata: {labels: {app: checkout}}
    spec:
      containers:
      - name: checkout
        image: {{ .Image }}
        env: [{name: SHARD, value: {{ .Values.shard | quote }}}, {name: PASSWORD, value: {{ secret "checkout/db" "password" }}}]
---
apiVersion: v1
kind: Service
metadata: {name: checkout}
spec: {selector: {app: checkout}, ports: [{port: 80}]}
`

// workspace is a folder with a template.
func workspace(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "deploy"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "deploy", "app.yaml"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// trap listens where AWS, GitHub, the registry and the cluster would be, and counts who calls.
func trap(t *testing.T) (address string, calls *atomic.Int32) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	calls = &atomic.Int32{}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			calls.Add(1)
			_ = conn.Close()
		}
	}()
	return listener.Addr().String(), calls
}

func TestRenderAsksNobodyAndShowsWhatGoesWhere(t *testing.T) {
	address, calls := trap(t)
	dir := workspace(t, template)
	summary, output := filepath.Join(dir, "summary"), filepath.Join(dir, "output")
	for _, file := range []string{summary, output} {
		if err := os.WriteFile(file, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	kubeconfig := filepath.Join(dir, "kubeconfig")
	if err := os.WriteFile(kubeconfig, []byte("{clusters: [{name: a, cluster: {server: 'http://"+address+"'}}], contexts: [{name: a, context: {cluster: a}}], current-context: a}"), 0o600); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{
		"INPUT_DRY_RUN": "render", "INPUT_SERVICE": "checkout", "INPUT_ENVIRONMENT": "test", "INPUT_MANIFESTS": "deploy",
		"INPUT_IMAGE": address + "/checkout", "INPUT_VALUES": "shard: 7", "GITHUB_WORKSPACE": dir, "GITHUB_API_URL": "http://" + address,
		"GITHUB_RUN_ID": "1", "GITHUB_STEP_SUMMARY": summary, "GITHUB_OUTPUT": output, "PROMOTE_RUNNER_ENVIRONMENT": "stage",
	}
	for _, name := range []string{"AWS_ENDPOINT_URL", "HTTP_PROXY", "HTTPS_PROXY"} {
		t.Setenv(name, "http://"+address)
	}
	var log strings.Builder
	code := gha.Run(func(name string) string { return env[name] }, &log, func(ctx context.Context, a *gha.Action) error {
		return run(ctx, a, surroundings{Kubeconfig: kubeconfig})
	})
	if code != 0 {
		t.Fatalf("exit code %d:\n%s", code, log.String())
	}
	page, err := os.ReadFile(summary)
	if err != nil {
		t.Fatal(err)
	}
	outputs, err := os.ReadFile(output)
	if err != nil {
		t.Fatal(err)
	}
	for where, text := range map[string]string{"log": log.String(), "summary": string(page)} {
		for _, want := range []string{"<secret checkout/db password>", "replicas: <param /checkout/replicas | int>", `value: "7"`, "kind: Service", "image: " + address + "/checkout@" + job.NoDigest} {
			if !strings.Contains(text, want) {
				t.Errorf("the %s lacks %q:\n%s", where, want, text)
			}
		}
	}
	if !strings.Contains(string(outputs), "rendered") {
		t.Errorf("the outputs are %s", outputs)
	}
	if n := calls.Load(); n != 0 {
		t.Errorf("%d connections were made", n)
	}
	// The trap works: without render the same inputs reach out.
	env["INPUT_DRY_RUN"], env["INPUT_GITHUB_TOKEN"], env["PROMOTE_RUNNER_ENVIRONMENT"] = "true", "t", ""
	env["GITHUB_REPOSITORY"], env["GITHUB_EVENT_NAME"], env["GITHUB_EVENT_PATH"] = "org/checkout", "workflow_dispatch", filepath.Join(dir, "event.json")
	env["GITHUB_SHA"] = strings.Repeat("a", 40)
	if err := os.WriteFile(env["GITHUB_EVENT_PATH"], []byte(`{"ref": "refs/heads/main", "repository": {"full_name": "org/checkout", "default_branch": "main"}}`), 0o644); err != nil {
		t.Fatal(err)
	}
	log.Reset()
	if code := gha.Run(func(name string) string { return env[name] }, &log, func(ctx context.Context, a *gha.Action) error {
		return run(ctx, a, surroundings{Kubeconfig: kubeconfig})
	}); code == 0 || calls.Load() == 0 {
		t.Errorf("exit code %d after %d connections; nothing would have been noticed:\n%s", code, calls.Load(), log.String())
	}
}

func TestAPersonRendersByHand(t *testing.T) {
	t.Chdir(workspace(t, template))
	hand := func(args ...string) (string, int) {
		getenv, err := arguments(append([]string{"render"}, args...), func(string) string { return "from the environment" }, io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		code := gha.Run(getenv, &out, func(ctx context.Context, a *gha.Action) error { return run(ctx, a, surroundings{}) })
		return out.String(), code
	}
	t.Run("and gets YAML alone", func(t *testing.T) {
		out, code := hand("-service", "checkout", "-values", "shard: 7")
		if code != 0 || !strings.HasPrefix(out, "apiVersion: apps/v1\n") || strings.Contains(out, "::") || !strings.Contains(out, "<secret checkout/db password>") {
			t.Errorf("exit code %d:\n%s", code, out)
		}
	})
	t.Run("and is told the file and line of what is wrong", func(t *testing.T) {
		out, code := hand("-service", "checkout")
		if code != 1 || !strings.Contains(out, "deploy/app.yaml:13:") || !strings.Contains(out, `there is no "shard"`) {
			t.Errorf("exit code %d:\n%s", code, out)
		}
	})
	t.Run("also of a field that Kubernetes does not have", func(t *testing.T) {
		t.Chdir(workspace(t, strings.Replace(template, "replicas:", "replica:", 1)))
		out, code := hand("-service", "checkout", "-values", "shard: 7")
		if code != 1 || !strings.Contains(out, "deploy/app.yaml:5: ") || !strings.Contains(out, `no field "replica" in .spec; did you mean "replicas"?`) {
			t.Errorf("exit code %d:\n%s", code, out)
		}
	})
	t.Run("and of an object that cannot be part of a release", func(t *testing.T) {
		t.Chdir(workspace(t, strings.Replace(template, "{{ .Image }}", "checkout:latest", 1)))
		out, code := hand("-service", "checkout", "-values", "shard: 7")
		if code != 1 || !strings.Contains(out, "deploy/app.yaml:1: ") || !strings.Contains(out, "has no digest") {
			t.Errorf("exit code %d:\n%s", code, out)
		}
	})
}

func TestArguments(t *testing.T) {
	inherited := func(name string) string { return "the environment's " + name }
	if getenv, err := arguments(nil, inherited, io.Discard); err != nil || getenv("X") != "the environment's X" {
		t.Errorf("without arguments the environment counts; %v", err)
	}
	getenv, err := arguments([]string{"render"}, inherited, io.Discard)
	if err != nil || getenv("INPUT_ENVIRONMENT") != "test" || getenv("INPUT_SERVICE") != "deploy" || getenv("AWS_REGION") != "" {
		t.Errorf("the service is the folder's name, and nothing comes from the environment: %q, %v", getenv("INPUT_SERVICE"), err)
	}
	for name, args := range map[string][]string{"another command": {"apply"}, "an unknown flag": {"render", "-x"}, "a word": {"render", "deploy"}} {
		var said strings.Builder
		if _, err := arguments(args, inherited, &said); err == nil || said.Len() == 0 {
			t.Errorf("%s: %v, said %q", name, err, said.String())
		}
	}
	if _, err := arguments([]string{"render", "-help"}, inherited, io.Discard); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("got %v, want %v", err, flag.ErrHelp)
	}
}
