package cluster

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"

	"github.com/org/promote/lab/world"
)

// Addresses of the lab. 198.18.0.0/15 is set aside for benchmarks (RFC 2544): no real network uses it, so the lab hides
// nobody's machine, and the guard (network.go) lets none of its packets out.
const (
	labRange     = "198.18.0.0/15"
	podRange     = "198.18.0.0/16"
	serviceRange = "198.19.0.0/17"
	balancerNet  = "198.19.128.0/17"
	nodeAddress  = "198.18.0.1"
	// balancerDomain holds the host names of load balancers; no such domain is in any real DNS (.internal is set aside for that).
	balancerDomain = "elb.lab.internal"
	// firstPod leaves the addresses below it to the bridge.
	firstPod   = "198.18.0.16"
	apiService = "198.19.0.1"
	dnsAddress = "198.19.0.10"
	bridge     = "promote0"
	// bridgeAddress is made of nodeAddress, as the bridge plugin makes a gateway's: 0a:58 and the four bytes.
	bridgeAddress = "0a:58:c6:12:00:01"
	nodeName      = "lab"
)

// Ports of the lab, fixed so that a kubeconfig stays true over restarts; below the range the kernel hands out to clients.
const (
	portEtcd          = 28401
	portEtcdPeer      = 28402
	portAPI           = 28403
	portControllers   = 28404
	portScheduler     = 28405
	portKubelet       = 28406
	portKubeletHealth = 28407
	portProxyHealth   = 28408
	portProxyMetrics  = 28409
	portRegistry      = 28410
	portPrometheus    = 28411
)

// Config says where a lab lives; every field but Out may be empty.
type Config struct {
	// StateDir is world.DefaultDir() when empty.
	StateDir string
	// CacheDir is ${XDG_CACHE_HOME:-$HOME/.cache}/promote-lab when empty.
	CacheDir string
	// Program is the lab's own binary, which runs the registry and the load balancer; this program when empty.
	Program string
	// Out gets one line per thing done.
	Out io.Writer
}

// Lab is a lab on this machine, up or not.
type Lab struct {
	dir, cache, source, program string
	out                         io.Writer
}

// Open finds the lab's folders. It starts nothing.
func Open(cfg Config) (*Lab, error) {
	l := &Lab{dir: cfg.StateDir, cache: cfg.CacheDir, program: cfg.Program, out: cfg.Out}
	if l.dir == "" {
		l.dir = world.DefaultDir()
	}
	if l.out == nil {
		l.out = io.Discard
	}
	if l.cache == "" {
		base, err := os.UserCacheDir()
		if err != nil {
			return nil, fmt.Errorf("finding the cache folder: %w", err)
		}
		l.cache = filepath.Join(base, "promote-lab")
	}
	var err error
	if l.program == "" {
		if l.program, err = os.Executable(); err != nil {
			return nil, fmt.Errorf("finding the lab's own program: %w", err)
		}
	}
	if l.dir, err = filepath.Abs(l.dir); err != nil {
		return nil, err
	}
	// A Unix socket's path holds 107 bytes, and the longest of ours is below run/.
	if len(l.dir) > 70 {
		return nil, fmt.Errorf("state folder %q is too long for the sockets below it (70 bytes at most): set PROMOTE_LAB_DIR", l.dir)
	}
	l.source, err = findSource()
	return l, err
}

// Dir is the state folder.
func (l *Lab) Dir() string { return l.dir }

// path is a path below the state folder.
func (l *Lab) path(parts ...string) string {
	return filepath.Join(append([]string{l.dir}, parts...)...)
}

func (l *Lab) bin(name string) string { return l.path("bin", name) }

// registry is the registry's host:port.
func registry() string { return loopback(portRegistry) }

func loopback(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }

// apiURL is not on loopback, because pods talk to the API server too; the guard keeps other machines off.
func apiURL() string { return fmt.Sprintf("https://%s:%d", nodeAddress, portAPI) }

// World is where the parts of this lab are, once it is up.
func (l *Lab) World() world.World {
	w := world.World{
		StateDir:        l.dir,
		Registry:        registry(),
		BuildkitHost:    "unix://" + l.path("run", "buildkitd.sock"),
		PrometheusURL:   "http://" + loopback(portPrometheus),
		DockerConfig:    l.path("docker"),
		ActPath:         l.bin("act"),
		BinDir:          l.path("bin"),
		AdminKubeconfig: l.path("kubeconfig", "admin"),
		Kubeconfig:      map[string]string{},
	}
	for _, env := range world.Environments {
		w.Kubeconfig[env] = l.path("kubeconfig", env)
	}
	return w
}

var modulePattern = regexp.MustCompile(`(?m)^module github\.com/org/promote/lab$`)

// findSource finds the lab's source folder: where this file was compiled from, or the working directory and its parents.
func findSource() (string, error) {
	var candidates []string
	if _, file, _, ok := runtime.Caller(0); ok && filepath.IsAbs(file) {
		candidates = append(candidates, filepath.Dir(filepath.Dir(file)))
	}
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; ; dir = filepath.Dir(dir) {
		candidates = append(candidates, dir, filepath.Join(dir, "lab"))
		if dir == filepath.Dir(dir) {
			break
		}
	}
	for _, c := range candidates {
		if data, err := os.ReadFile(filepath.Join(c, "go.mod")); err == nil && modulePattern.Match(data) {
			return c, nil
		}
	}
	return "", errors.New("finding the lab's source: run it from a clone of the repository")
}
