package gateway

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

// grace is how long Traefik may take to end; it is told to wait for nobody.
const grace = 5 * time.Second

// proxy is a process of Traefik.
type proxy struct {
	process *os.Process
	log     *tail
	// done is closed when it has ended, with what it ended with.
	done chan struct{}
	exit error
}

// run starts Traefik for one namespace and one port.
func run(ctx context.Context, program, kubeconfig, namespace string, port int) (*proxy, error) {
	// It goes before other work, as kube-proxy does: clients must not wait for a compiler.
	cmd := exec.CommandContext(context.WithoutCancel(ctx), "nice", "-n", "-10", program,
		fmt.Sprintf("--entryPoints.http.address=%s:%d", host, port),
		"--entryPoints.http.transport.lifeCycle.graceTimeOut=0s",
		"--providers.kubernetesGateway=true", "--providers.kubernetesGateway.namespaces="+namespace,
		"--providers.kubernetesGateway.labelSelector="+labelGateway+"="+namespace,
		"--providers.kubernetesGateway.statusAddress.ip="+host,
		"--global.checkNewVersion=false", "--global.sendAnonymousUsage=false", "--log.level=INFO", "--log.noColor=true")
	p := &proxy{log: &tail{}, done: make(chan struct{})}
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "KUBECONFIG=" + kubeconfig}
	cmd.Stdout, cmd.Stderr = p.log, p.log
	// A group of its own keeps the terminal's interrupt from it, which the tests clean up after; and it dies with a test that is killed.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	go func() {
		// The death signal comes when the thread ends that started the process, so that thread is kept.
		runtime.LockOSThread()
		err := cmd.Start()
		p.process = cmd.Process
		started <- err
		if err == nil {
			p.exit = cmd.Wait()
			close(p.done)
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("starting %q: %w", program, err)
	}
	return p, nil
}

// ended is an error once the process has.
func (p *proxy) ended() error {
	select {
	case <-p.done:
		if p.exit == nil {
			return fmt.Errorf("the proxy (Traefik) ended by itself\n%s", p.log)
		}
		return fmt.Errorf("the proxy (Traefik) ended by itself: %w\n%s", p.exit, p.log)
	default:
		return nil
	}
}

// stop ends the process, if need be the hard way.
func (p *proxy) stop() error {
	if err := p.ended(); err != nil {
		return err
	}
	_ = p.process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
		return nil
	case <-time.After(grace):
	}
	_ = p.process.Kill()
	<-p.done
	return errors.New("the proxy (Traefik) did not end when it was told to, and was killed")
}

// tail keeps the last lines that were written to it.
type tail struct {
	mu    sync.Mutex
	lines []string
}

const tailLines = 30

func (t *tail) Write(data []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lines = append(t.lines, strings.Split(strings.TrimRight(string(data), "\n"), "\n")...)
	t.lines = t.lines[max(0, len(t.lines)-tailLines):]
	return len(data), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return "  " + strings.Join(t.lines, "\n  ")
}
