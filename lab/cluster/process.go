package cluster

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is one process of this machine, told from any later one that gets the same pid by when it started.
type process struct {
	Pid int `json:"pid"`
	// Started is the process's start in clock ticks since boot, field 22 of /proc/PID/stat.
	Started uint64 `json:"started"`
	// Boot is the boot the ticks count from.
	Boot string `json:"boot"`
	// Spec is the hash of what it was started with, for a component; see component.spec.
	Spec string `json:"spec,omitempty"`
}

// identify describes a running process.
func identify(pid int) (process, error) {
	started, _, err := readStat(pid)
	if err != nil {
		return process{}, err
	}
	return process{Pid: pid, Started: started, Boot: bootID()}, nil
}

// alive says whether that very process still runs. One that has ended but is not yet buried does not.
func (p process) alive() bool {
	started, state, err := readStat(p.Pid)
	return err == nil && started == p.Started && p.Boot == bootID() && state != 'Z' && state != 'X'
}

// kill signals the process and its group, and waits until it is gone. After the grace it is killed the hard way.
func (p process) kill(ctx context.Context, sig syscall.Signal, grace time.Duration) error {
	if !p.alive() {
		return nil
	}
	// The group's id is the leader's pid, and the leader is alive: it can't be anyone else's group.
	_ = syscall.Kill(-p.Pid, sig)
	_ = syscall.Kill(p.Pid, sig)
	hard := time.Now().Add(grace)
	err := await(ctx, grace+5*time.Second, func() error {
		if !p.alive() {
			return nil
		}
		if time.Now().After(hard) {
			_ = syscall.Kill(p.Pid, syscall.SIGKILL)
		}
		return errors.New("it still runs")
	})
	if err != nil {
		return fmt.Errorf("stopping process %d: %w", p.Pid, err)
	}
	return nil
}

// readStat reads when a process started, and its state letter.
func readStat(pid int) (started uint64, state byte, err error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0, err
	}
	return parseStat(data)
}

// parseStat parses /proc/PID/stat. The second field is the program's name in brackets and may hold anything, brackets and
// blanks included, so counting starts behind the last bracket.
func parseStat(data []byte) (started uint64, state byte, err error) {
	end := bytes.LastIndexByte(data, ')')
	if end < 0 {
		return 0, 0, fmt.Errorf("parsing process status %q: it has no name", data)
	}
	fields := strings.Fields(string(data[end+1:]))
	if len(fields) < 20 {
		return 0, 0, fmt.Errorf("parsing process status: it has %d fields behind the name, not 20", len(fields))
	}
	started, err = strconv.ParseUint(fields[19], 10, 64)
	return started, fields[0][0], err
}

// bootID tells this boot of the machine from any other.
func bootID() string {
	data, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(data))
}

// recorded is the process that was started under that name, if any was.
func (l *Lab) recorded(name string) (process, bool) {
	data, err := os.ReadFile(l.path("run", name+".json"))
	if err != nil {
		return process{}, false
	}
	var p process
	if err := json.Unmarshal(data, &p); err != nil {
		return process{}, false
	}
	return p, true
}

func (l *Lab) record(name string, p process) error {
	data, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return os.WriteFile(l.path("run", name+".json"), data, 0o644)
}

func (l *Lab) forget(name string) error {
	err := os.Remove(l.path("run", name+".json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// processes calls each with every process of the machine and its arguments.
func processes(each func(pid int, args []string)) error {
	dirs, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		return err
	}
	for _, file := range dirs {
		data, err := os.ReadFile(file)
		if err != nil || len(data) == 0 {
			continue // it ended meanwhile, or it is the kernel's
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if err != nil {
			continue
		}
		each(pid, strings.Split(strings.TrimRight(string(data), "\x00"), "\x00"))
	}
	return nil
}

// await asks until there is no error, the time is up, or the context ends; the error is the last answer. The pause between
// two questions is short, because what it waits for here takes tenths of a second.
func await(ctx context.Context, limit time.Duration, ask func() error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := ask()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w (waited %s)", err, limit)
		case <-tick.C:
		}
	}
}
