package cluster

import (
	"context"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

func TestParseStat(t *testing.T) {
	t.Run("counts fields behind the last bracket of the name", func(t *testing.T) {
		stat := "42 (a) b (c) S 1 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987654 1 2 3"
		started, state, err := parseStat([]byte(stat))
		if err != nil || started != 987654 || state != 'S' {
			t.Errorf("got %d, %c, %v", started, state, err)
		}
	})
	t.Run("refuses what is no process status", func(t *testing.T) {
		for _, text := range []string{"", "42 name S 1", "42 (name) S 1 2 3"} {
			if _, _, err := parseStat([]byte(text)); err == nil {
				t.Errorf("%q was parsed", text)
			}
		}
	})
}

func TestProcess(t *testing.T) {
	sleeper := func(t *testing.T) process {
		cmd := exec.Command("sleep", "300")
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan struct{})
		go func() { cmd.Wait(); close(ended) }()
		t.Cleanup(func() { cmd.Process.Kill(); <-ended })
		p, err := identify(cmd.Process.Pid)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	t.Run("is killed and then not alive", func(t *testing.T) {
		p := sleeper(t)
		if !p.alive() {
			t.Fatal("it is not alive before it is killed")
		}
		if err := p.kill(context.Background(), syscall.SIGTERM, time.Second); err != nil {
			t.Fatal(err)
		}
		if p.alive() {
			t.Error("it is alive after it was killed")
		}
	})
	t.Run("is not taken for an earlier one with the same pid", func(t *testing.T) {
		p := sleeper(t)
		for name, other := range map[string]process{
			"another start": {Pid: p.Pid, Started: p.Started - 1, Boot: p.Boot},
			"another boot":  {Pid: p.Pid, Started: p.Started, Boot: "another"},
		} {
			if other.alive() {
				t.Errorf("%s: a process that is gone counts as alive", name)
			}
			if err := other.kill(context.Background(), syscall.SIGKILL, time.Second); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if !p.alive() {
				t.Fatalf("%s: a foreign process was killed", name)
			}
		}
	})
}
