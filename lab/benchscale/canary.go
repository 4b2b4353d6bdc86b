package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/org/promote/lab/github"
)

// runs numbers the workflow runs.
var runs atomic.Int64

// memory is the most that a process had, in bytes: all that was in RAM, of which own is what is not the program's file. The file's
// pages are there once, however many processes run it.
type memory struct {
	all, own int64
}

// outcome is how one canary went.
type outcome struct {
	took            time.Duration
	result, release string
	output          string
	memory          memory
}

// lookPause is the time between two looks at a process's memory. The peak of all of it is the kernel's own record, of which a
// look can only miss what came after the last one.
const lookPause = 50 * time.Millisecond

// canary runs the action on the commit that is checked out.
func (s *service) canary(ctx context.Context, event github.Event) (outcome, error) {
	dir, err := s.w.dir("run")
	if err != nil {
		return outcome{}, err
	}
	env, err := s.environ(dir, event)
	if err != nil {
		return outcome{}, err
	}
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, s.w.action)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = s.hub.clone, env, &out, &out
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return outcome{}, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	var o outcome
	for look := time.NewTicker(lookPause); ; {
		select {
		case <-look.C:
			if m, err := readMemory(cmd.Process.Pid); err == nil {
				o.memory.all, o.memory.own = max(o.memory.all, m.all), max(o.memory.own, m.own)
			}
			continue
		case err = <-ended:
			look.Stop()
		}
		break
	}
	o.took, o.output = time.Since(began), out.String()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) || ctx.Err() != nil {
		return o, errors.Join(err, ctx.Err())
	}
	outputs, err := os.ReadFile(filepath.Join(dir, "output"))
	if err != nil {
		return o, err
	}
	o.result, o.release = output(string(outputs), "result"), output(string(outputs), "release")
	if s.w.trace {
		say("%s, %s after %s:\n%s", s.namespace, o.result, o.took.Round(time.Millisecond), o.output)
	}
	return o, nil
}

// environ is what a runner gives the action, with its inputs.
func (s *service) environ(dir string, event github.Event) ([]string, error) {
	errs := []error{os.WriteFile(filepath.Join(dir, "event.json"), event.Payload, 0o600)}
	for _, f := range []string{"output", "summary", "env", "path", "state"} {
		errs = append(errs, os.WriteFile(filepath.Join(dir, f), nil, 0o600))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	env := []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "RUNNER_TEMP=" + dir, "PROMOTE_RUNNER_ENVIRONMENT=" + environment,
		"AWS_REGION=eu-west-1", // which nobody is asked for: the manifests hold no secret
		"CI=true", "GITHUB_ACTIONS=true", "GITHUB_API_URL=" + s.hub.gh.URL(), "GITHUB_SERVER_URL=" + s.hub.gh.URL(), "GITHUB_REPOSITORY=acme/web",
		"GITHUB_EVENT_NAME=" + event.Name, "GITHUB_EVENT_PATH=" + filepath.Join(dir, "event.json"), "GITHUB_WORKSPACE=" + s.hub.clone,
		fmt.Sprintf("GITHUB_RUN_ID=%d", runs.Add(1)), "GITHUB_RUN_ATTEMPT=1", "GITHUB_ACTOR=ada",
		"GITHUB_OUTPUT=" + filepath.Join(dir, "output"), "GITHUB_STEP_SUMMARY=" + filepath.Join(dir, "summary"),
		"GITHUB_ENV=" + filepath.Join(dir, "env"), "GITHUB_PATH=" + filepath.Join(dir, "path"), "GITHUB_STATE=" + filepath.Join(dir, "state"),
	}
	// Everything else is as it is when nobody sets it: steps of 5, 25, 50 and 100 %, a look at the monitor every second.
	inputs := map[string]string{
		"github-token": s.hub.token, "environment": environment, "service": "web", "image": s.hub.repository.Name(), "manifests": "deploy",
		"namespace": s.namespace, "kubeconfig": s.kubeconfig, "values": fmt.Sprintf("pods: %d", s.pods), "required-approvals": "1",
		"monitor-url": s.w.monitor.url, "checks": checks, "step-duration": s.w.step.String(), "watchdog": strconv.FormatBool(s.guarded),
	}
	for name, value := range inputs {
		env = append(env, "INPUT_"+strings.ToUpper(strings.ReplaceAll(name, "-", "_"))+"="+value)
	}
	return env, nil
}

// output finds a value in the name<<delimiter form of GITHUB_OUTPUT; "" is one that was not set.
func output(text, name string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, name+"<<") && i+1 < len(lines) {
			return lines[i+1]
		}
	}
	return ""
}

// readMemory reads what the kernel says of a process that runs.
func readMemory(pid int) (memory, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return memory{}, err
	}
	return parseMemory(string(text))
}

func parseMemory(status string) (memory, error) {
	var m memory
	for line := range strings.Lines(status) {
		name, value, _ := strings.Cut(line, ":")
		into := map[string]*int64{"VmHWM": &m.all, "RssAnon": &m.own}[name]
		if into == nil {
			continue
		}
		kilobytes, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
		if err != nil {
			return m, fmt.Errorf("reading %q: %w", strings.TrimSpace(line), err)
		}
		*into = kilobytes * 1024
	}
	if m.all == 0 || m.own == 0 {
		return m, errors.New("reading a process's memory: it has none, so it has ended")
	}
	return m, nil
}
