package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/org/promote/lab/github"
	"github.com/org/promote/pkg/cluster"
)

// promoteObjects are a service as its repository has it; what differs from version to version is in the input `values`.
const promoteObjects = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: %[1]d
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}, annotations: %[2]s}
    spec: %[3]s---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: 8080}]}
`

// check is the README's, with the lab's names.
const check = `- name: errors
  type: ratio
  bad: sum(increase(answers_total{namespace="$namespace",release="$release",code=~"5.."}[$window]))
  total: sum(increase(answers_total{namespace="$namespace",release="$release"}[$window]))
  max: %g
`

// newPromote is the action canary, run as a runner runs it on a push to the base branch. It starts a process for each change, and
// nobody starts it again after its death.
func (w *world) newPromote(ctx context.Context, graceful time.Duration) (*contender, error) {
	n, err := w.newNamespace(ctx, "promote", graceful)
	if err != nil {
		return nil, err
	}
	kubeconfig, err := n.runner(ctx)
	if err != nil {
		return nil, err
	}
	h, err := w.newHub(ctx)
	if err != nil {
		return nil, err
	}
	manifests := fmt.Sprintf(promoteObjects, replicas, scraped, n.pod("{{ .Image }}", "{{ .Values.version }}", "{{ .Values.fail }}"))
	// The image is a word of the template, and must not be quoted twice.
	if err := h.begin(ctx, manifests); err != nil {
		return nil, err
	}
	c := &contender{name: "promote", at: n, service: "web"}
	c.roll = func(ctx context.Context, version, fails string) error {
		event, err := h.merge(ctx, version)
		if err != nil {
			return err
		}
		env, err := h.env(event, map[string]string{
			"environment": environment, "service": "web", "image": w.repository.Name(), "manifests": "deploy", "namespace": n.name, "kubeconfig": kubeconfig,
			"values": fmt.Sprintf("version: %s\nfail: %q", version, fails), "github-token": h.token,
			"monitor-url": w.lab.PrometheusURL, "checks": fmt.Sprintf(check, bound), "steps": fmt.Sprintf("%d,50,100", step),
		})
		if err != nil {
			return err
		}
		c.works, err = w.start("promote", h.clone, env, w.canary)
		return err
	}
	c.judges = c.promoteJudges
	c.settled = c.promoteSettled
	return c, nil
}

// env is what a runner gives an action; what is not among the inputs has its default.
func (h *hub) env(event github.Event, inputs map[string]string) ([]string, error) {
	dir, err := os.MkdirTemp(h.w.work, "run-")
	if err != nil {
		return nil, err
	}
	errs := []error{os.WriteFile(filepath.Join(dir, "event.json"), event.Payload, 0o600)}
	for _, f := range []string{"output", "summary", "env", "path", "state"} {
		errs = append(errs, os.WriteFile(filepath.Join(dir, f), nil, 0o600))
	}
	env := []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "RUNNER_TEMP=" + dir, "PROMOTE_RUNNER_ENVIRONMENT=" + environment, "AWS_REGION=eu-west-1",
		"CI=true", "GITHUB_ACTIONS=true", "GITHUB_API_URL=" + h.server.URL(), "GITHUB_SERVER_URL=" + h.server.URL(), "GITHUB_REPOSITORY=" + h.repo.Name(),
		"GITHUB_EVENT_NAME=" + event.Name, "GITHUB_EVENT_PATH=" + filepath.Join(dir, "event.json"), "GITHUB_WORKSPACE=" + h.clone,
		fmt.Sprintf("GITHUB_RUN_ID=%d", time.Now().UnixNano()), "GITHUB_RUN_ATTEMPT=1", "GITHUB_ACTOR=ada",
		"GITHUB_OUTPUT=" + filepath.Join(dir, "output"), "GITHUB_STEP_SUMMARY=" + filepath.Join(dir, "summary"),
		"GITHUB_ENV=" + filepath.Join(dir, "env"), "GITHUB_PATH=" + filepath.Join(dir, "path"), "GITHUB_STATE=" + filepath.Join(dir, "state"),
	}
	for name, value := range inputs {
		env = append(env, "INPUT_"+strings.ToUpper(strings.ReplaceAll(name, "-", "_"))+"="+value)
	}
	return env, errors.Join(errs...)
}

// promoteJudges says whether both releases are selected.
func (c *contender) promoteJudges(ctx context.Context) (bool, error) {
	service, err := c.at.w.kube.CoreV1().Services(c.at.name).Get(ctx, "web", metav1.GetOptions{})
	if err != nil {
		return false, err
	}
	if !c.works.alive() {
		return false, endedError{"the action ended before the fault"}
	}
	return service.Spec.Selector[cluster.LabelRelease] == "", nil
}

// promoteSettled says whether the action has ended, and no watchdog is left that works.
func (c *contender) promoteSettled(ctx context.Context) (bool, error) {
	jobs, err := c.at.w.kube.BatchV1().Jobs(c.at.name).List(ctx, metav1.ListOptions{LabelSelector: cluster.LabelWatchdog + "=web"})
	if err != nil {
		return false, err
	}
	for _, job := range jobs.Items {
		if job.DeletionTimestamp == nil && job.Status.Succeeded == 0 {
			return false, nil
		}
	}
	return !c.works.alive(), nil
}
