// Package world says where the parts of a running lab are: registry, builder, monitor, clusters' credentials. `lab up` writes
// it, and everything that plays in the lab (the demo, the end-to-end tests) reads it.
//
// It holds addresses and paths, never a credential itself, and it refuses a file that lacks a part: a lab that is half up is
// not a lab.
//
//	w, err := world.Load(world.DefaultDir())
//	cmd.Env = append(cmd.Env, "KUBECONFIG="+w.Kubeconfig["stage"])
package world

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Environments are the lab's environments, in the order of promotion. Each is a namespace of the same name.
var Environments = []string{"test", "stage", "prod"}

// fileName is the world's file in the state directory.
const fileName = "world.json"

// World is where the parts of a running lab are.
type World struct {
	// StateDir is where the lab keeps everything that `lab down` removes.
	StateDir string `json:"stateDir"`
	// Registry is host:port; plain http on loopback.
	Registry string `json:"registry"`
	// BuildkitHost is an address as BUILDKIT_HOST takes it, unix:///….
	BuildkitHost string `json:"buildkitHost"`
	// PrometheusURL is the monitor's root, http://host:port.
	PrometheusURL string `json:"prometheusURL"`
	// DockerConfig is a folder for DOCKER_CONFIG: it has buildx as a plugin and the builder "promote-lab" selected.
	DockerConfig string `json:"dockerConfig"`
	// ActPath is the act binary; it lies in BinDir too.
	ActPath string `json:"actPath"`
	// BinDir is to be put first in PATH: act, buildx, buildctl, and docker when the machine has none.
	BinDir string `json:"binDir"`
	// AdminKubeconfig may do everything in the cluster.
	AdminKubeconfig string `json:"adminKubeconfig"`
	// Kubeconfig holds, for each of Environments, the path of a kubeconfig that reaches that namespace alone.
	Kubeconfig map[string]string `json:"kubeconfig"`
}

// UsualDir is where a lab lives unless it is told otherwise.
const UsualDir = "/var/lib/promote-lab"

// DefaultDir is the state directory: PROMOTE_LAB_DIR, or UsualDir.
func DefaultDir() string {
	if dir := os.Getenv("PROMOTE_LAB_DIR"); dir != "" {
		return dir
	}
	return UsualDir
}

// Load reads the world of the lab whose state is in the folder. It does not ask whether the parts still run.
func Load(stateDir string) (World, error) {
	path := filepath.Join(stateDir, fileName)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return World{}, fmt.Errorf("reading %q: no lab is up: run `make lab-up`", path)
	}
	if err != nil {
		return World{}, fmt.Errorf("reading the lab's world: %w", err)
	}
	var w World
	if err := json.Unmarshal(data, &w); err != nil {
		return World{}, fmt.Errorf("parsing %q: %w", path, err)
	}
	if err := w.Validate(); err != nil {
		return World{}, fmt.Errorf("reading %q: %w", path, err)
	}
	return w, nil
}

// Validate names every part that is missing.
func (w World) Validate() error {
	parts := []struct{ name, value string }{
		{"stateDir", w.StateDir}, {"registry", w.Registry}, {"buildkitHost", w.BuildkitHost}, {"prometheusURL", w.PrometheusURL},
		{"dockerConfig", w.DockerConfig}, {"actPath", w.ActPath}, {"binDir", w.BinDir}, {"adminKubeconfig", w.AdminKubeconfig},
	}
	for _, env := range Environments {
		parts = append(parts, struct{ name, value string }{"kubeconfig." + env, w.Kubeconfig[env]})
	}
	var missing []string
	for _, p := range parts {
		if p.value == "" {
			missing = append(missing, p.name)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("the lab's world lacks %s: run `make lab-up` again", strings.Join(missing, ", "))
	}
	return nil
}
