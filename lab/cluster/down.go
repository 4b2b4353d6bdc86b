package cluster

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Down stops everything the lab started and removes everything it made, but for Debian's packages and the build cache. It
// goes on over every obstacle and reports all of them; on a machine without a lab it does nothing.
func (l *Lab) Down(ctx context.Context) error {
	if os.Geteuid() != 0 {
		return errors.New("stopping the lab: it needs root: run it with sudo")
	}
	if !exists(l.dir) {
		l.say("lab", "is not there")
		return nil
	}
	unlock, err := l.lock()
	if err != nil {
		return err
	}
	defer unlock()
	start := time.Now()
	errs := []error{
		l.stopAll(ctx),
		l.killLeftovers(ctx),
		l.unmountAll(),
		l.networkDown(ctx),
		await(ctx, 10*time.Second, l.removeCgroups),
		l.removeTraces(ctx),
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("stopping the lab: %w", err)
	}
	if err := os.RemoveAll(l.dir); err != nil {
		return fmt.Errorf("removing the lab's folder: %w", err)
	}
	l.say("lab", "down, %s; builds stay in %s", seconds(time.Since(start)), l.cache)
	return nil
}

// stopAll stops the recorded components, the kubelet first, because it would start again what is stopped after it.
func (l *Lab) stopAll(ctx context.Context) error {
	all := l.components()
	slices.SortStableFunc(all, func(a, b component) int {
		switch {
		case a.name == "kubelet":
			return -1
		case b.name == "kubelet":
			return 1
		}
		return 0
	})
	var errs []error
	for _, c := range all {
		if p, ok := l.recorded(c.name); ok {
			// Its data goes too, so there is nothing that it would have to put in order first.
			errs = append(errs, p.kill(ctx, syscall.SIGKILL, time.Second))
		}
	}
	return errors.Join(errs...)
}

// killLeftovers kills what the recorded components left: containers, which are known by their control group, shims, and
// components whose record was lost.
func (l *Lab) killLeftovers(ctx context.Context) error {
	return await(ctx, 15*time.Second, func() error {
		count := l.killCgroups()
		err := processes(func(pid int, args []string) {
			if pid != os.Getpid() && l.owns(args) {
				count++
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
		})
		if err == nil && count > 0 {
			err = fmt.Errorf("killing what the lab left: %d processes still run", count)
		}
		return err
	})
}

// owns says whether a command line is the lab's: a program out of its folder, a shim of its containerd, or a daemon of Debian's
// that was started with a file of the lab.
func (l *Lab) owns(args []string) bool {
	if strings.HasPrefix(args[0], l.path("bin")+"/") {
		return true
	}
	switch filepath.Base(args[0]) {
	case "containerd-shim-runc-v2":
		i := slices.Index(args, "-address")
		return i >= 0 && i+1 < len(args) && args[i+1] == l.containerdSocket()
	case "etcd", "containerd", "prometheus", "runc":
		return slices.ContainsFunc(args[1:], func(arg string) bool { return strings.Contains(arg, l.dir+"/") })
	}
	return false
}

// unmountAll unmounts everything below the state folder, the deepest first.
func (l *Lab) unmountAll() error {
	points, err := mountPoints(l.dir)
	if err != nil {
		return fmt.Errorf("listing mounts: %w", err)
	}
	var errs []error
	for _, point := range points {
		if err := syscall.Unmount(point, syscall.MNT_DETACH); err != nil && !errors.Is(err, syscall.EINVAL) {
			errs = append(errs, fmt.Errorf("unmounting %q: %w", point, err))
		}
	}
	return errors.Join(errs...)
}

// mountPoints are the mounts below a folder, the last made first.
func mountPoints(dir string) ([]string, error) {
	file, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	defer file.Close()
	// The kernel writes blanks and their like as octal numbers.
	plain := strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)
	var points []string
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 5 {
			continue
		}
		if point := plain.Replace(fields[4]); strings.HasPrefix(point, dir+"/") {
			points = append(points, point)
		}
	}
	slices.Reverse(points)
	return points, lines.Err()
}

// removeTraces removes the few files that containerd, kubelet and the network plugins insist on making elsewhere.
func (l *Lab) removeTraces(ctx context.Context) error {
	var errs []error
	// After an interrupt too: a socket that was not asked would stay behind.
	dead := func(path string) bool { return deadSocket(context.WithoutCancel(ctx), path) }
	remove := func(pattern string, ours func(path string) bool) {
		paths, err := filepath.Glob(pattern)
		errs = append(errs, err)
		for _, path := range paths {
			if ours(path) {
				errs = append(errs, os.Remove(path))
			}
		}
		// Folders that are empty now were made for these files; one that is not belongs to others as well.
		for dir := filepath.Dir(pattern); !slices.Contains(standing, dir); dir = filepath.Dir(dir) {
			if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
				break
			}
		}
	}
	remove("/run/containerd/s/*", dead)
	remove("/var/lib/kubelet/device-plugins/*", dead)
	nothing := func(string) bool { return false }
	remove("/run/buildkit/*", nothing)
	remove("/run/runc/*", nothing)
	remove("/var/log/containers/*", func(path string) bool {
		target, err := os.Readlink(path)
		return err == nil && strings.HasPrefix(target, l.dir+"/")
	})
	remove("/var/lib/cni/results/*", func(path string) bool {
		data, err := os.ReadFile(path)
		return err == nil && strings.Contains(string(data), l.dir+"/")
	})
	return errors.Join(errs...)
}

// standing are the folders that every machine has.
var standing = []string{"/run", "/var/lib", "/var/log", "/"}

// deadSocket says whether nobody listens on a Unix socket any more. It looks twice, because a program that is just starting has
// a moment between making its socket and listening on it.
func deadSocket(ctx context.Context, path string) bool {
	dialer := net.Dialer{Timeout: time.Second}
	for range 2 {
		conn, err := dialer.DialContext(ctx, "unix", path)
		if err == nil {
			conn.Close()
		}
		if !errors.Is(err, syscall.ECONNREFUSED) {
			return false
		}
		time.Sleep(5 * time.Millisecond)
	}
	return true
}
