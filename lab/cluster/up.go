package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// Up makes the lab run: it installs and builds what is missing, starts what does not run, and returns once a client reaches a
// container through a load balancer. On a lab that is up it does nothing but look.
func (l *Lab) Up(ctx context.Context) error {
	if runtime.GOOS != "linux" || os.Geteuid() != 0 {
		return errors.New("starting the lab: it needs Linux and root: run it with sudo")
	}
	unlock, err := l.lock()
	if err != nil {
		return err
	}
	defer unlock()
	if err := l.prepareFolders(); err != nil {
		return err
	}
	if err := l.installPackages(ctx); err != nil {
		return err
	}
	if err := l.buildAll(ctx); err != nil {
		return err
	}
	start := time.Now()
	if err := l.prepare(ctx); err != nil {
		return err
	}
	started, err := l.runTasks(ctx, l.tasks())
	if err != nil {
		return err
	}
	if err := l.World().Save(); err != nil {
		return err
	}
	if started == 0 {
		l.say("lab", "was up already, looked at in %s", seconds(time.Since(start)))
	} else {
		l.say("lab", "up, %d started in %s; for a shell: source %s", started, seconds(time.Since(start)), l.path("env"))
	}
	return nil
}

// lock keeps two commands from changing one lab at once. The file lies beside the state folder, which `down` removes, and goes
// with the lock.
func (l *Lab) lock() (unlock func(), err error) {
	path := l.dir + ".lock"
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	for {
		file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			return nil, err
		}
		if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
			l.say("lab", "another lab command is at work: waiting for it …")
			if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
				file.Close()
				return nil, fmt.Errorf("locking %q: %w", path, err)
			}
		}
		// Whoever held the lock has removed the file, and another command may have made a new one: a lock on the old one is none.
		held, err := file.Stat()
		if now, other := os.Stat(path); err == nil && other == nil && os.SameFile(held, now) {
			return func() { _ = os.Remove(path); file.Close() }, nil
		}
		file.Close()
	}
}

// prepareFolders makes the state folder. After a reboot nothing that was running is left, and its traces would mislead.
func (l *Lab) prepareFolders() error {
	boot, err := os.ReadFile(l.path("boot"))
	if err == nil && strings.TrimSpace(string(boot)) != bootID() {
		if err := os.RemoveAll(l.path("run")); err != nil {
			return fmt.Errorf("clearing what ran before the reboot: %w", err)
		}
	}
	for _, dir := range []string{"run", "log", "tmp", "bin", "config", "kubelet", "targets"} {
		if err := os.MkdirAll(l.path(dir), 0o755); err != nil {
			return err
		}
	}
	if err := os.WriteFile(l.path("boot"), []byte(bootID()+"\n"), 0o644); err != nil {
		return err
	}
	return l.copyProgram()
}

// copyProgram puts the lab's own program into the state folder: what runs from there must not depend on where it was built.
func (l *Lab) copyProgram() error {
	if l.program == l.bin("lab") {
		return nil
	}
	from, err := os.Open(l.program)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := os.OpenFile(l.bin("lab")+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, from)
	if err = errors.Join(err, to.Close()); err != nil {
		return fmt.Errorf("copying the lab's program: %w", err)
	}
	return os.Rename(l.bin("lab")+".new", l.bin("lab"))
}

// prepare makes everything that is neither a process nor an object in the cluster.
func (l *Lab) prepare(ctx context.Context) error {
	if err := l.refuseForeignCluster(ctx); err != nil {
		return err
	}
	for _, step := range []func() error{
		l.writePKI, l.writeKubeconfigs, l.writeConfigs, l.cgroupsUp, func() error { return l.networkUp(ctx) },
	} {
		if err := step(); err != nil {
			return fmt.Errorf("preparing the lab: %w", err)
		}
	}
	return nil
}

// tasks are the components, and what is done between them.
func (l *Lab) tasks() []task {
	var all []task
	for _, c := range l.components() {
		all = append(all, task{name: c.name, after: c.after, run: func(ctx context.Context) (bool, error) { return l.start(ctx, c) }})
	}
	quiet := func(run func(context.Context) error) func(context.Context) (bool, error) {
		return func(ctx context.Context) (bool, error) { return false, run(ctx) }
	}
	return append(all,
		task{name: pauseTask, after: []string{"registry"}, run: quiet(l.seedPause)},
		task{name: "base images", after: []string{"registry"}, run: quiet(l.seedGo)},
		task{name: "builder", after: []string{"buildkitd"}, run: quiet(l.writeDocker)},
		task{name: environmentsTask, after: []string{"kube-apiserver"}, run: quiet(func(ctx context.Context) error {
			client, err := l.client()
			if err != nil {
				return err
			}
			return errors.Join(letPrometheusRead(ctx, client), l.makeEnvironments(ctx, client))
		})},
		task{name: "beacon", after: []string{environmentsTask, pauseTask, "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "loadbalancer"}, run: quiet(func(ctx context.Context) error {
			client, err := l.client()
			if err != nil {
				return err
			}
			if err := lightBeacon(ctx, client); err != nil {
				return err
			}
			return await(ctx, readyLimit, func() error {
				if err := askNode(ctx, client); err != nil {
					return err
				}
				return askBeacon(ctx, client)
			})
		})},
	)
}

const (
	pauseTask        = "pause image"
	environmentsTask = "environments"
)

// refuseForeignCluster refuses to share kube-proxy's firewall table, whose name is fixed, with another cluster on this machine.
func (l *Lab) refuseForeignCluster(ctx context.Context) error {
	if _, ours := l.recorded("kube-proxy"); ours {
		return nil
	}
	tables, err := labTables(ctx)
	if err != nil {
		return err
	}
	for _, table := range tables {
		if table[1] != guardTable {
			return fmt.Errorf("preparing the lab: another cluster's kube-proxy is at work on this machine (nft table %s): the lab can't share it; remove it with `nft delete table %[1]s` if it is a leftover", strings.Join(table, " "))
		}
	}
	return nil
}
