package cluster

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// component is one program of the lab.
type component struct {
	name string
	path string
	args []string
	// urgent goes before other work: on a node whose proxy has to wait for a compiler, clients are sent to pods that are gone.
	// It counts where one scheduling group has all; a kernel that groups by session gives each component its share as it is.
	urgent bool
	// after names what must be ready before this one starts.
	after []string
	// ports are the addresses it listens on; another program on one of them is an error that names it.
	ports []string
	// ready is nil once the program serves.
	ready func(ctx context.Context) error
	// grace is how long it may take to end; defaultGrace when zero.
	grace time.Duration
}

// readyLimit bounds the start of one component. On a loaded two-core machine the API server was seen to take 20 s.
const readyLimit = 90 * time.Second

const defaultGrace = 3 * time.Second

// start starts the component unless it runs, and waits until it is ready. It says whether it had to start anything.
func (l *Lab) start(ctx context.Context, c component) (bool, error) {
	spec, err := l.spec(c)
	if err != nil {
		return false, fmt.Errorf("starting %s: %w", c.name, err)
	}
	if p, ok := l.recorded(c.name); ok && p.alive() {
		if p.Spec == spec {
			return false, l.awaitReady(ctx, c, nil)
		}
		l.say(c.name, "has changed: starting it anew")
		if err := l.Stop(ctx, c.name, syscall.SIGTERM); err != nil {
			return false, err
		}
	}
	for _, address := range c.ports {
		// The threads of a process that was just killed hold its port for a moment longer than it can be seen.
		if err := await(ctx, 2*time.Second, func() error { return free(ctx, address) }); err != nil {
			return false, fmt.Errorf("starting %s: %w", c.name, err)
		}
	}
	log, err := os.OpenFile(l.logFile(c.name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return false, err
	}
	defer log.Close()
	fmt.Fprintf(log, "\n--- %s: %s %s\n", time.Now().Format(time.RFC3339), c.path, strings.Join(c.args, " "))
	cmd := exec.CommandContext(context.WithoutCancel(ctx), c.path, c.args...)
	if c.urgent {
		cmd = exec.CommandContext(context.WithoutCancel(ctx), "nice", append([]string{"-n", "-10", c.path}, c.args...)...)
	}
	cmd.Dir = l.dir
	cmd.Env = l.environment()
	cmd.Stdout, cmd.Stderr = log, log
	// A session of its own: neither the terminal's interrupt nor the end of `lab up` reaches it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return false, fmt.Errorf("starting %s: %w", c.name, err)
	}
	// Before anybody waits for it: what has ended at once is still there to be looked at until then.
	p, err := identify(cmd.Process.Pid)
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	if err == nil {
		p.Spec = spec
		err = l.record(c.name, p)
	}
	if err != nil {
		_ = cmd.Process.Kill() // It may have ended by itself.
		return false, fmt.Errorf("starting %s: %w", c.name, err)
	}
	return true, l.awaitReady(ctx, c, ended)
}

// spec is the hash of what makes a component what it is: its program, its arguments and its configuration. The lab's own program
// counts by its arguments alone: it changes with every edit, and its small servers seldom with it.
func (l *Lab) spec(c component) (string, error) {
	hash := sha256.New()
	program, err := filepath.EvalSymlinks(c.path)
	if err != nil {
		return "", err
	}
	fmt.Fprintf(hash, "%s %q\n", program, c.args)
	for _, arg := range c.args {
		_, file, ok := strings.Cut(arg, "=")
		if !ok {
			file = arg
		}
		if strings.HasPrefix(file, l.path("config")+"/") {
			data, err := os.ReadFile(file)
			if err != nil {
				return "", err
			}
			hash.Write(data)
		}
	}
	return fmt.Sprintf("%x", hash.Sum(nil))[:16], nil
}

// awaitReady waits until the component serves; when it ends instead, the error has the end of its log.
func (l *Lab) awaitReady(ctx context.Context, c component, ended <-chan error) error {
	died := make(chan struct{})
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var exit error
	go func() {
		select {
		case exit = <-ended:
			close(died)
			cancel()
		case <-ctx.Done():
		}
	}()
	err := await(ctx, readyLimit, func() error { return c.ready(ctx) })
	select {
	case <-died:
		return fmt.Errorf("starting %s: it ended: %w\n%s", c.name, cmp.Or(exit, errors.New("exit status 0")), l.logTail(c.name, 15))
	default:
	}
	if err != nil {
		return fmt.Errorf("waiting for %s: %w\n%s", c.name, err, l.logTail(c.name, 15))
	}
	return nil
}

// environment is all that a component inherits: no proxy, no credential and no setting of the caller's.
func (l *Lab) environment() []string {
	return []string{
		"PATH=" + l.path("bin") + ":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"HOME=" + l.dir, "LANG=C.UTF-8", "TMPDIR=" + l.path("tmp"),
		// A sixth of what the API server computes is the collection of garbage, half of it with this; it takes some 200 MB more.
		"GOGC=200",
	}
}

func (l *Lab) logFile(name string) string { return l.path("log", name+".log") }

// logTail is the end of a component's log, indented, with the place of the whole.
func (l *Lab) logTail(name string, lines int) string {
	data, err := os.ReadFile(l.logFile(name))
	if err != nil {
		return "  no log: " + err.Error()
	}
	all := strings.Split(strings.TrimSpace(string(data)), "\n")
	all = all[max(0, len(all)-lines):]
	return "  " + strings.Join(all, "\n  ") + "\n  whole log: " + l.logFile(name)
}

// free is an error that names the program when another one listens on the address.
func free(ctx context.Context, address string) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err == nil {
		return listener.Close()
	}
	if !errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("trying address %s: %w", address, err)
	}
	return fmt.Errorf("address %s is taken by %s: stop it, then run `make lab-up` again", address, listenerName(address))
}
