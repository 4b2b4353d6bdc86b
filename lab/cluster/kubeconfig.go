package cluster

import (
	"fmt"
	"os"
	"path/filepath"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

// kubeconfigUsers are the components and people who reach the API server with a certificate, and whose certificate that is.
var kubeconfigUsers = map[string]string{
	"admin": "admin", "controllers": "controllers", "scheduler": "scheduler", "kubelet": "kubelet", "proxy": "proxy", "prometheus": "prometheus",
}

// writeKubeconfigs writes the kubeconfigs that carry a certificate.
func (l *Lab) writeKubeconfigs() error {
	for file, certificate := range kubeconfigUsers {
		crt, err := os.ReadFile(l.path("pki", certificate+".crt"))
		if err != nil {
			return err
		}
		key, err := os.ReadFile(l.path("pki", certificate+".key"))
		if err != nil {
			return err
		}
		user := &api.AuthInfo{ClientCertificateData: crt, ClientKeyData: key}
		if err := l.writeKubeconfig(file, "default", user); err != nil {
			return fmt.Errorf("writing kubeconfig %q: %w", file, err)
		}
	}
	return nil
}

// writeKubeconfig writes one kubeconfig whose context is the namespace. It carries all it needs, so that it can be copied.
func (l *Lab) writeKubeconfig(name, namespace string, user *api.AuthInfo) error {
	ca, err := os.ReadFile(l.path("pki", "ca.crt"))
	if err != nil {
		return err
	}
	cfg := api.NewConfig()
	cfg.Clusters["promote-lab"] = &api.Cluster{Server: apiURL(), CertificateAuthorityData: ca}
	cfg.AuthInfos[name] = user
	cfg.Contexts[name] = &api.Context{Cluster: "promote-lab", AuthInfo: name, Namespace: namespace}
	cfg.CurrentContext = name
	data, err := clientcmd.Write(*cfg)
	if err != nil {
		return err
	}
	path := l.path("kubeconfig", name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(path+".new", data, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// client is the admin's client.
func (l *Lab) client() (*kubernetes.Clientset, error) {
	cfg, err := clientcmd.BuildConfigFromFlags("", l.path("kubeconfig", "admin"))
	if err != nil {
		return nil, fmt.Errorf("reading the admin's kubeconfig: %w", err)
	}
	// client-go's own limit of 5 a second would be most of the time that `lab up` takes.
	cfg.QPS, cfg.Burst = 200, 400
	return kubernetes.NewForConfig(cfg)
}
