package cluster

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"time"
)

// components are the programs of the lab. Each is started once those it comes after are ready.
func (l *Lab) components() []component {
	all := append(l.controlPlane(), l.node()...)
	return append(all, l.services()...)
}

// find is the component of that name.
func (l *Lab) find(name string) (component, error) {
	var names []string
	for _, c := range l.components() {
		if c.name == name {
			return c, nil
		}
		names = append(names, c.name)
	}
	return component{}, fmt.Errorf("the lab has no component %q: it has %v", name, names)
}

// controlPlane is etcd, the API server, the controllers and the scheduler.
func (l *Lab) controlPlane() []component {
	pki := func(file string) string { return l.path("pki", file) }
	etcd := "http://" + loopback(portEtcd)
	return []component{
		{
			name: "etcd", urgent: true, path: "/usr/bin/etcd", ports: []string{loopback(portEtcd), loopback(portEtcdPeer)},
			args: []string{
				"--name=lab", "--data-dir=" + l.path("etcd"), "--listen-client-urls=" + etcd, "--advertise-client-urls=" + etcd,
				"--listen-peer-urls=http://" + loopback(portEtcdPeer), "--initial-advertise-peer-urls=http://" + loopback(portEtcdPeer),
				"--initial-cluster=lab=http://" + loopback(portEtcdPeer),
				// A lab's data need not outlive a power cut, and disks of virtual machines sync slowly.
				"--unsafe-no-fsync", "--log-level=warn",
			},
			ready: l.httpReady(etcd + "/health"),
		},
		{
			name: "kube-apiserver", urgent: true, path: l.bin("kube-apiserver"), after: []string{"etcd"}, ports: []string{fmt.Sprintf("%s:%d", nodeAddress, portAPI)},
			args: []string{
				"--etcd-servers=" + etcd, "--bind-address=" + nodeAddress, "--advertise-address=" + nodeAddress, fmt.Sprintf("--secure-port=%d", portAPI),
				"--tls-cert-file=" + pki("apiserver.crt"), "--tls-private-key-file=" + pki("apiserver.key"), "--client-ca-file=" + pki("ca.crt"),
				"--kubelet-client-certificate=" + pki("apiserver-kubelet.crt"), "--kubelet-client-key=" + pki("apiserver-kubelet.key"),
				"--kubelet-certificate-authority=" + pki("ca.crt"), "--kubelet-preferred-address-types=InternalIP",
				"--service-cluster-ip-range=" + serviceRange, "--authorization-mode=Node,RBAC", "--allow-privileged",
				"--service-account-issuer=https://kubernetes.default.svc", "--service-account-key-file=" + pki("accounts.key"),
				"--service-account-signing-key-file=" + pki("accounts.key"), "--shutdown-delay-duration=0s",
			},
			ready: l.apiReady, grace: 5 * time.Second,
		},
		{
			name: "kube-controller-manager", urgent: true, path: l.bin("kube-controller-manager"), after: []string{"kube-apiserver"}, ports: []string{loopback(portControllers)},
			args: []string{
				"--kubeconfig=" + l.path("kubeconfig", "controllers"), "--bind-address=127.0.0.1", fmt.Sprintf("--secure-port=%d", portControllers),
				"--cert-dir=" + l.path("tmp", "controllers"), "--use-service-account-credentials", "--service-account-private-key-file=" + pki("accounts.key"),
				"--root-ca-file=" + pki("ca.crt"), "--leader-elect=false",
				// By default it makes a folder outside of the lab's.
				"--flex-volume-plugin-dir=" + l.path("kubelet", "plugins-exec"),
			},
			ready: l.httpsReady(portControllers, "/healthz"),
		},
		{
			name: "kube-scheduler", urgent: true, path: l.bin("kube-scheduler"), after: []string{"kube-apiserver"}, ports: []string{loopback(portScheduler)},
			args: []string{
				"--kubeconfig=" + l.path("kubeconfig", "scheduler"), "--bind-address=127.0.0.1", fmt.Sprintf("--secure-port=%d", portScheduler),
				"--cert-dir=" + l.path("tmp", "scheduler"), "--leader-elect=false",
			},
			ready: l.httpsReady(portScheduler, "/healthz"),
		},
	}
}

// node is what runs containers: containerd, kubelet and kube-proxy.
func (l *Lab) node() []component {
	return []component{
		{
			name: "containerd", path: "/usr/bin/containerd", args: []string{"--config", l.path("config", "containerd.toml")},
			ready: func(ctx context.Context) error {
				return command(ctx, nil, "ctr", "--address", l.containerdSocket(), "--connect-timeout", "2s", "version")
			},
		},
		{
			name: "kubelet", urgent: true, path: l.bin("kubelet"), after: []string{"kube-apiserver", "containerd", pauseTask},
			ports: []string{fmt.Sprintf("%s:%d", nodeAddress, portKubelet), loopback(portKubeletHealth)},
			args: []string{
				"--config=" + l.path("config", "kubelet.yaml"), "--kubeconfig=" + l.path("kubeconfig", "kubelet"), "--hostname-override=" + nodeName,
				"--node-ip=" + nodeAddress, "--root-dir=" + l.path("kubelet"), "--cert-dir=" + l.path("kubelet", "pki"),
			},
			ready: l.httpReady("http://" + loopback(portKubeletHealth) + "/healthz"),
		},
		{
			name: "kube-proxy", urgent: true, path: l.bin("kube-proxy"), after: []string{"kube-apiserver"}, ports: []string{loopback(portProxyHealth), loopback(portProxyMetrics)},
			args:  []string{"--config=" + l.path("config", "proxy.yaml")},
			ready: l.httpReady("http://" + loopback(portProxyHealth) + "/livez"),
		},
	}
}

// services are what a pipeline needs beside the cluster.
func (l *Lab) services() []component {
	buildkit := "unix://" + l.path("run", "buildkitd.sock")
	return []component{
		{
			name: "registry", path: l.bin("lab"), args: []string{"registry", l.path("registry"), registry()}, ports: []string{registry()},
			ready: l.httpReady("http://" + registry() + "/v2/"),
		},
		{
			name: "loadbalancer", path: l.bin("lab"), after: []string{"kube-apiserver"}, args: []string{"loadbalancer", l.path("kubeconfig", "admin"), balancerDomain},
			// It has no door of its own; the beacon proves that it works.
			ready: func(context.Context) error { return nil },
		},
		{
			name: "buildkitd", path: l.bin("buildkitd"), after: []string{"registry"},
			args: []string{"--config", l.path("config", "buildkitd.toml"), "--addr", buildkit, "--root", l.path("buildkit")},
			ready: func(ctx context.Context) error {
				return exec.CommandContext(ctx, l.bin("buildctl"), "--addr", buildkit, "--timeout", "2", "debug", "workers").Run()
			},
			grace: 5 * time.Second,
		},
		{
			name: "targets", path: l.bin("lab"), after: []string{environmentsTask},
			args: []string{"targets", l.path("kubeconfig", "prometheus"), l.path("targets", "pods.json")},
			ready: func(context.Context) error {
				if !exists(l.path("targets", "pods.json")) {
					return errors.New("the file of targets is not written yet")
				}
				return nil
			},
		},
		{
			name: "prometheus", path: "/usr/bin/prometheus", after: []string{"targets"}, ports: []string{loopback(portPrometheus)},
			args: []string{
				"--config.file=" + l.path("config", "prometheus.yaml"), "--storage.tsdb.path=" + l.path("prometheus"), "--storage.tsdb.retention.time=6h",
				"--web.listen-address=" + loopback(portPrometheus), "--log.level=warn",
				// Prometheus takes new targets over at most every five seconds by default, and finds them at most every five.
				"--scrape.discovery-reload-interval=1s",
			},
			ready: l.httpReady("http://" + loopback(portPrometheus) + "/-/ready"),
		},
	}
}

func (l *Lab) containerdSocket() string { return l.path("run", "containerd.sock") }
