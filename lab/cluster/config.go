package cluster

import (
	"bytes"
	"embed"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/template"
)

//go:embed config
var configs embed.FS

// settings is what the components' configuration files are filled with.
type settings struct {
	Dir, Socket, Registry, Snapshotter, CNIPlugins, Bridge, PodRange, FirstPod, Node, NodeName, DNS, Cgroup string

	KubeletPort, KubeletHealthPort, ProxyHealthPort, ProxyMetricsPort int
}

// configFiles are the templates, and where their results go below config/.
var configFiles = map[string]string{
	"containerd.toml": "containerd.toml", "kubelet.yaml": "kubelet.yaml", "proxy.yaml": "proxy.yaml",
	"buildkitd.toml": "buildkitd.toml", "prometheus.yaml": "prometheus.yaml", "bridge.conflist": "cni/10-bridge.conflist",
}

// writeConfigs writes every component's configuration.
func (l *Lab) writeConfigs() error {
	data := settings{
		Dir: l.dir, Socket: l.containerdSocket(), Registry: registry(), Snapshotter: snapshotter(), CNIPlugins: cniPlugins, Bridge: bridge,
		PodRange: podRange, FirstPod: firstPod, Node: nodeAddress, NodeName: nodeName, DNS: dnsAddress, Cgroup: l.cgroup(),
		KubeletPort: portKubelet, KubeletHealthPort: portKubeletHealth, ProxyHealthPort: portProxyHealth, ProxyMetricsPort: portProxyMetrics,
	}
	for name, target := range configFiles {
		text, err := renderConfig(name, data)
		if err != nil {
			return fmt.Errorf("rendering configuration %q: %w", name, err)
		}
		path := l.path("config", target)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		// kube-proxy ends when its file is written, even with what it held: a lab that is up would be hit by every `up`.
		if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, text) {
			continue
		}
		if err := os.WriteFile(path, text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func renderConfig(name string, data settings) ([]byte, error) {
	t, err := template.New(name).Option("missingkey=error").ParseFS(configs, "config/"+name)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = t.Execute(&out, data)
	return out.Bytes(), err
}

// snapshotter is how file systems of containers are stacked. Without the kernel's overlay every layer is a whole copy: right,
// but slow.
func snapshotter() string {
	known, err := os.ReadFile("/proc/filesystems")
	if err == nil && strings.Contains(string(known), "\toverlay\n") {
		return "overlayfs"
	}
	return "native"
}
