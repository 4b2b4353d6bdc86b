package cluster

import (
	"bufio"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// build is one program that is built from Go modules.
type build struct {
	name string
	// dir is the folder of its module, below the lab's source; its Go files and go.mod, go.sum are the key in the cache.
	dir string
	// pkg is what `go build` takes.
	pkg string
	// version names the module whose version the program is to report, and stamps the variables that it reports it by.
	version string
	stamps  []string
	// links are the names it can be called by, beside its own.
	links []string
	// patient lets everything else go before the build, which then is long: one that is made while tests run on the same cores.
	patient bool
}

var builds = []build{
	{
		name: "kube", dir: "kubernetes", pkg: ".", version: "k8s.io/kubernetes",
		stamps: []string{"k8s.io/component-base/version.gitVersion", "k8s.io/client-go/pkg/version.gitVersion"},
		links:  []string{"kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy"},
	},
	{name: "buildkitd", dir: "buildkit", pkg: "github.com/moby/buildkit/cmd/buildkitd", version: "github.com/moby/buildkit", stamps: []string{"github.com/moby/buildkit/version.Version"}},
	{name: "buildctl", dir: "buildkit", pkg: "github.com/moby/buildkit/cmd/buildctl", version: "github.com/moby/buildkit", stamps: []string{"github.com/moby/buildkit/version.Version"}},
	{name: "buildx", dir: "buildkit", pkg: "github.com/docker/buildx/cmd/buildx", version: "github.com/docker/buildx", stamps: []string{"github.com/docker/buildx/version.Version"}},
	{name: "act", dir: "act", pkg: "github.com/nektos/act"},
	{name: "pause", dir: "cluster/pause", pkg: "./cluster/pause"},
}

// buildAll builds what the cache does not have, one program after the other (each keeps every core busy by itself), and
// links all of them into the state folder.
func (l *Lab) buildAll(ctx context.Context) error {
	for _, b := range builds {
		binary, err := l.build(ctx, b)
		if err != nil {
			return err
		}
		for _, name := range append([]string{b.name}, b.links...) {
			if err := link(binary, l.bin(name)); err != nil {
				return err
			}
		}
	}
	return nil
}

// build returns the path of the program in the cache.
func (l *Lab) build(ctx context.Context, b build) (string, error) {
	flags, err := b.linkerFlags(filepath.Join(l.source, b.dir))
	if err != nil {
		return "", fmt.Errorf("reading the version of %s: %w", b.name, err)
	}
	key, err := buildKey(filepath.Join(l.source, b.dir), b.pkg+" "+flags)
	if err != nil {
		return "", fmt.Errorf("keying the build of %s: %w", b.name, err)
	}
	binary := filepath.Join(l.cache, b.name, key, b.name)
	if exists(binary) {
		return binary, nil
	}
	if err := os.MkdirAll(filepath.Dir(binary), 0o755); err != nil {
		return "", err
	}
	unlock, err := l.lockBuild(ctx, b.name, filepath.Dir(binary))
	if err != nil {
		return "", err
	}
	defer unlock()
	if exists(binary) { // another was at it
		return binary, nil
	}
	dir := filepath.Join(l.source, b.dir)
	if strings.HasPrefix(b.pkg, "./") {
		dir = l.source
	}
	part := fmt.Sprintf("%s.%d", binary, os.Getpid())
	defer func() { _ = os.Remove(part) }()
	// -v names each package as it is compiled: that is the heartbeat.
	program, err := l.goProgram(ctx)
	if err != nil {
		return "", err
	}
	args := []string{program, "build", "-v", "-trimpath", "-buildvcs=false", "-ldflags=" + flags, "-o", part, b.pkg}
	if b.patient {
		args = append([]string{"nice", "-n", "10"}, args...)
	}
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	done := l.begin("build "+b.name, "building once, then cached")
	if err := l.watchBuild(cmd, b.name); err != nil {
		return "", fmt.Errorf("building %s: %w", b.name, err)
	}
	done()
	return binary, os.Rename(part, binary)
}

// lockBuild keeps two from building one program at the same time, in this process or another: each would take twice as long.
func (l *Lab) lockBuild(ctx context.Context, name, dir string) (unlock func(), err error) {
	file, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	told := time.Now()
	err = await(ctx, buildLimit, func() error {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err != nil && time.Since(told) > heartbeat {
			told = time.Now()
			l.say("  "+name, "waiting for another's build of it")
		}
		return err
	})
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("waiting for another's build of %s: %w", name, err)
	}
	return func() { file.Close() }, nil
}

// linkerFlags strip the program of what only a debugger reads, and stamp it with the version its go.mod asks for: a client that
// parses a server's version must find one.
func (b build) linkerFlags(dir string) (string, error) {
	flags := "-s -w"
	if b.version == "" {
		return flags, nil
	}
	data, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		return "", err
	}
	version, err := requiredVersion(string(data), b.version)
	if err != nil {
		return "", err
	}
	for _, variable := range b.stamps {
		flags += " -X " + variable + "=" + version
	}
	return flags, nil
}

// requiredVersion is the version of a module that a go.mod requires.
func requiredVersion(gomod, module string) (string, error) {
	for line := range strings.Lines(gomod) {
		fields := strings.Fields(strings.TrimPrefix(strings.TrimSpace(line), "require "))
		if len(fields) >= 2 && fields[0] == module && strings.HasPrefix(fields[1], "v") {
			return fields[1], nil
		}
	}
	return "", fmt.Errorf("go.mod requires no %q", module)
}

// goProgram is the path of the Go command. The repository's own script knows where else than in PATH to look.
func (l *Lab) goProgram(ctx context.Context) (string, error) {
	script := filepath.Join(l.source, "..", "hack", "go")
	if !exists(script) {
		return exec.LookPath("go")
	}
	out, err := exec.CommandContext(ctx, script).Output()
	if err != nil {
		return "", fmt.Errorf("looking for Go: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

// heartbeat is how often a long build says that it goes on.
const heartbeat = 15 * time.Second

// buildLimit is more than any of the builds takes on the smallest machine.
const buildLimit = time.Hour

// watchBuild runs `go build -v` and says now and then how many packages are compiled, and which.
func (l *Lab) watchBuild(cmd *exec.Cmd, name string) error {
	out, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	var mu sync.Mutex
	var lines []string
	ended := make(chan struct{})
	go func() {
		tick := time.NewTicker(heartbeat)
		defer tick.Stop()
		for {
			select {
			case <-ended:
				return
			case <-tick.C:
				mu.Lock()
				count, last := len(lines), "downloading modules"
				if count > 0 {
					last = lines[count-1]
				}
				mu.Unlock()
				l.say("  "+name, "%d packages, now %s", count, last)
			}
		}
	}()
	for scanner := bufio.NewScanner(out); scanner.Scan(); {
		mu.Lock()
		lines = append(lines, scanner.Text())
		mu.Unlock()
	}
	err = cmd.Wait()
	close(ended)
	if err != nil {
		return fmt.Errorf("%w\n  %s", err, strings.Join(lines[max(0, len(lines)-20):], "\n  "))
	}
	return nil
}

// buildKey is the hash of all that a build depends on: the module's files (go.sum stands for every dependency), what is
// built and how, and the compiler.
func buildKey(dir, what string) (string, error) {
	var files []string
	for _, pattern := range []string{"go.mod", "go.sum", "*.go"} {
		matches, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			return "", err
		}
		files = append(files, matches...)
	}
	slices.Sort(files)
	hash := sha256.New()
	fmt.Fprintln(hash, what, runtime.Version(), runtime.GOARCH)
	for _, file := range files {
		data, err := os.Open(file)
		if err != nil {
			return "", err
		}
		fmt.Fprintln(hash, filepath.Base(file))
		_, err = io.Copy(hash, data)
		data.Close()
		if err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%x", hash.Sum(nil))[:16], nil
}

// link makes a symbolic link, in place of what was there.
func link(target, name string) error {
	if old, err := os.Readlink(name); err == nil && old == target {
		return nil
	}
	if err := os.Symlink(target, name+".new"); err != nil {
		return err
	}
	return os.Rename(name+".new", name)
}
