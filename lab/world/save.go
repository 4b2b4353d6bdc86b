package world

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Save writes the world into its state directory twice: as JSON for Load, and as the file `env` for a shell. Both appear
// whole or not at all.
func (w World) Save() error {
	if err := w.Validate(); err != nil {
		return err
	}
	data, err := json.MarshalIndent(w, "", "  ")
	if err != nil {
		return err
	}
	if err := write(filepath.Join(w.StateDir, "env"), w.Shell()); err != nil {
		return err
	}
	return write(filepath.Join(w.StateDir, fileName), string(data)+"\n")
}

// Shell is the world as lines that a POSIX shell can source. The admin's kubeconfig is the KUBECONFIG.
func (w World) Shell() string {
	var b strings.Builder
	line := func(name, value string) { fmt.Fprintf(&b, "export %s=%s\n", name, quote(value)) }
	line("PROMOTE_LAB_DIR", w.StateDir)
	line("KUBECONFIG", w.AdminKubeconfig)
	for _, env := range Environments {
		line("PROMOTE_LAB_KUBECONFIG_"+strings.ToUpper(env), w.Kubeconfig[env])
	}
	line("PROMOTE_LAB_REGISTRY", w.Registry)
	line("BUILDKIT_HOST", w.BuildkitHost)
	line("PROMETHEUS_URL", w.PrometheusURL)
	line("DOCKER_CONFIG", w.DockerConfig)
	line("PROMOTE_LAB_ACT", w.ActPath)
	fmt.Fprintf(&b, "export PATH=%s:\"$PATH\"\n", quote(w.BinDir))
	return b.String()
}

// quote makes one word of any text for a POSIX shell.
func quote(s string) string {
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

func write(path, text string) error {
	if err := os.WriteFile(path+".new", []byte(text), 0o644); err != nil {
		return fmt.Errorf("writing the lab's world: %w", err)
	}
	return os.Rename(path+".new", path)
}
