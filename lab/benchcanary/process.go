package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// process is an orchestrator at work.
type process struct {
	name  string
	cmd   *exec.Cmd
	log   string
	ended chan struct{}
}

// start runs a program until it is killed, or the world is closed. It is in a process group of its own: an interrupt at the keyboard is
// for the bench, which then ends it.
func (w *world) start(name, dir string, env []string, program string, args ...string) (*process, error) {
	log, err := os.CreateTemp(w.work, name+"-*.log")
	if err != nil {
		return nil, err
	}
	defer log.Close()
	// Not CommandContext: what an interrupt does to an orchestrator is not measured here.
	cmd := exec.Command(program, args...) //nolint:noctx // see above
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, env, log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", filepath.Base(program), err)
	}
	p := &process{name: name, cmd: cmd, log: log.Name(), ended: make(chan struct{})}
	go func() {
		defer close(p.ended)
		_ = cmd.Wait() // Its state has the exit code.
	}()
	w.undo = append(w.undo, func(context.Context) { p.kill() })
	return p, nil
}

// kill is SIGKILL, and waits for the end.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // An error says that it has ended.
	<-p.ended
}

// alive says whether it still runs.
func (p *process) alive() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// tail is the end of what it printed.
func (p *process) tail() string {
	const most = 4000
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	if len(text) > most {
		text = text[len(text)-most:]
		_, text, _ = bytes.Cut(text, []byte("\n"))
	}
	return string(text)
}
