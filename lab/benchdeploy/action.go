package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
)

// runs numbers the workflow runs.
var runs atomic.Int64

// newPromote is the action deploy, run as the runner runs it on a pull request.
func (w *world) newPromote(ctx context.Context) (*contender, error) {
	at, err := w.newNamespace(ctx, "")
	if err != nil {
		return nil, err
	}
	deploy := func(ctx context.Context, kubeconfig string) (outcome, error) {
		return w.runAction(ctx, at, kubeconfig, nil)
	}
	return &contender{
		name: "promote", at: at, first: &w.hub.first, words: words{image: "{{ .Image }}", password: fmt.Sprintf("{{ secret %q }}", secretID)},
		prepare: w.hub.commit, deploy: deploy, apply: deploy,
	}, nil
}

// runAction runs the whole action; more are inputs.
func (w *world) runAction(ctx context.Context, at *namespace, kubeconfig string, more map[string]string) (outcome, error) {
	env, err := w.actionEnv(at.name, kubeconfig, more)
	if err != nil {
		return outcome{}, err
	}
	return commands(ctx, w.hub.clone, env, at.used, step{program: w.action})
}

func (w *world) actionEnv(namespace, kubeconfig string, more map[string]string) ([]string, error) {
	dir, err := w.dir("run")
	if err != nil {
		return nil, err
	}
	errs := []error{os.WriteFile(filepath.Join(dir, "event.json"), w.hub.event.Payload, 0o600)}
	for _, f := range []string{"output", "summary", "env", "path", "state"} {
		errs = append(errs, os.WriteFile(filepath.Join(dir, f), nil, 0o600))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	_, digest, _ := strings.Cut(w.image, "@")
	env := []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "PROMOTE_RUNNER_ENVIRONMENT=" + environment,
		"AWS_ENDPOINT_URL=" + w.hub.aws.URL(), "AWS_REGION=eu-west-1", "AWS_ACCESS_KEY_ID=" + accessKey, "AWS_SECRET_ACCESS_KEY=" + secretKey,
		"CI=true", "GITHUB_ACTIONS=true", "GITHUB_API_URL=" + w.hub.url, "GITHUB_SERVER_URL=" + w.hub.url, "GITHUB_REPOSITORY=acme/web",
		"GITHUB_EVENT_NAME=" + w.hub.event.Name, "GITHUB_EVENT_PATH=" + filepath.Join(dir, "event.json"), "GITHUB_WORKSPACE=" + w.hub.clone,
		fmt.Sprintf("GITHUB_RUN_ID=%d", runs.Add(1)), "GITHUB_RUN_ATTEMPT=1", "GITHUB_ACTOR=ada",
		"GITHUB_OUTPUT=" + filepath.Join(dir, "output"), "GITHUB_STEP_SUMMARY=" + filepath.Join(dir, "summary"),
		"GITHUB_ENV=" + filepath.Join(dir, "env"), "GITHUB_PATH=" + filepath.Join(dir, "path"), "GITHUB_STATE=" + filepath.Join(dir, "state"),
	}
	inputs := map[string]string{
		"github-token": w.hub.token, "environment": environment, "service": "web", "image": w.repository, "digest": digest,
		"manifests": "deploy", "namespace": namespace, "kubeconfig": kubeconfig, "drain": "0s", "timeout": "2m",
	}
	for name, value := range more {
		inputs[name] = value
	}
	for name, value := range inputs {
		env = append(env, "INPUT_"+strings.ToUpper(strings.ReplaceAll(name, "-", "_"))+"="+value)
	}
	return env, nil
}
