package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// kwokSettings let kwok play many pods at once: it must not be what a canary waits for. With a file of settings it has no defaults.
const kwokSettings = `kind: KwokConfiguration
apiVersion: config.kwok.x-k8s.io/v1alpha1
options: {podPlayStageParallelism: 16, nodePlayStageParallelism: 4, nodeLeaseParallelism: 4, podsOnNodeSyncParallelism: 4}
`

// startKwok lets kwok play nodes and pods from now on, until the world is closed. running ends with it, with the cause; log is the file
// of its output.
func (w *world) startKwok(ctx context.Context) (running context.Context, log string, err error) {
	config := filepath.Join(w.work, "kwok.yaml")
	if err := os.WriteFile(config, []byte(kwokSettings), 0o600); err != nil {
		return nil, "", err
	}
	out, err := os.Create(filepath.Join(w.work, "kwok.log"))
	if err != nil {
		return nil, "", err
	}
	kwok := exec.CommandContext(context.WithoutCancel(ctx), w.kwok, "--kubeconfig", w.lab.AdminKubeconfig, "--config", config,
		"--config", filepath.Join(w.stages, "node", "fast", "node-initialize.yaml"),
		"--config", filepath.Join(w.stages, "pod", "fast", "pod-ready.yaml"), "--config", filepath.Join(w.stages, "pod", "fast", "pod-delete.yaml"),
		"--manage-nodes-with-label-selector", labelNode, "--cidr", simulatedPods, "--node-ip", simulatedNode)
	kwok.Stdout, kwok.Stderr = out, out
	// A person's Ctrl-C reaches the whole group, and kwok is needed until its pods are gone.
	kwok.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	if err := kwok.Start(); err != nil {
		return nil, "", fmt.Errorf("starting kwok: %w", err)
	}
	running, end := context.WithCancelCause(context.WithoutCancel(ctx))
	go func() { end(errors.Join(errors.New("kwok has ended"), kwok.Wait())) }()
	w.undo = append(w.undo, func() {
		_ = kwok.Process.Signal(syscall.SIGTERM)
		<-running.Done()
		_ = out.Close()
	})
	return running, out.Name(), nil
}
