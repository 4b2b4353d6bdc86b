package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// peerTime is how long peers may wait for what becomes ready.
const peerTime = 2 * time.Minute

// alone is the environment of a peer: an empty home, so that nothing that an earlier run fetched is there.
func (w *world) alone(kubeconfig string) ([]string, error) {
	home, err := w.dir("home")
	if err != nil {
		return nil, err
	}
	return []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "KUBECONFIG=" + kubeconfig}, nil
}

// newKubectl is `kubectl apply --server-side`, and then `kubectl rollout status`.
func (w *world) newKubectl(ctx context.Context, patience time.Duration) (*contender, error) {
	at, err := w.newNamespace(ctx, "admin")
	if err != nil {
		return nil, err
	}
	dir, err := w.dir("kubectl")
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "objects.yaml")
	apply := step{w.kubectl, []string{"apply", "--server-side", "--filename", file}}
	status := step{w.kubectl, []string{"rollout", "status", "deployment/web", "--timeout", patience.String()}}
	do := func(steps ...step) func(context.Context, string) (outcome, error) {
		return func(ctx context.Context, kubeconfig string) (outcome, error) {
			env, err := w.alone(kubeconfig)
			if err != nil {
				return outcome{}, err
			}
			return commands(ctx, dir, env, nil, steps...)
		}
	}
	return &contender{
		name: "kubectl", at: at, first: &at.first, words: w.plain(),
		prepare: func(_ context.Context, objects string) error { return os.WriteFile(file, []byte(objects), 0o600) },
		deploy:  do(apply, status), apply: do(apply),
	}, nil
}

// newHelm is `helm upgrade --install --wait`, with the objects as a chart.
func (w *world) newHelm(ctx context.Context, patience time.Duration) (*contender, error) {
	at, err := w.newNamespace(ctx, "admin")
	if err != nil {
		return nil, err
	}
	dir, err := w.dir("helm")
	if err != nil {
		return nil, err
	}
	if err := newChart(dir); err != nil {
		return nil, err
	}
	do := func(more ...string) func(context.Context, string) (outcome, error) {
		return func(ctx context.Context, kubeconfig string) (outcome, error) {
			env, err := w.alone(kubeconfig)
			if err != nil {
				return outcome{}, err
			}
			return commands(ctx, dir, env, nil, step{w.helm, append([]string{"upgrade", "web", dir, "--install"}, more...)})
		}
	}
	return &contender{
		name: "helm", at: at, first: &at.first, words: w.plain(),
		prepare: func(_ context.Context, objects string) error {
			return os.WriteFile(filepath.Join(dir, "templates", "objects.yaml"), []byte(objects), 0o600)
		},
		deploy: do("--wait", "--timeout", patience.String()), apply: do(),
	}, nil
}

// newChart makes a folder a chart without templates.
func newChart(dir string) error {
	if err := os.MkdirAll(filepath.Join(dir, "templates"), 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "Chart.yaml"), []byte("apiVersion: v2\nname: web\nversion: 0.1.0\n"), 0o600)
}

// plain are the words of contenders whose manifests are no templates.
func (w *world) plain() words { return words{image: w.image, password: fmt.Sprintf("%q", secretValue)} }
