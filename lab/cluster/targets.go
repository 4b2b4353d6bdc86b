package cluster

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

// target is one entry of a file that Prometheus discovers targets from.
type target struct {
	Targets []string          `json:"targets"`
	Labels  map[string]string `json:"labels"`
}

// WriteTargets keeps a file of scrape targets true until the context ends: every running pod that asks to be scraped by its
// prometheus.io annotations. It stands in for Prometheus' own discovery in Kubernetes, which Debian's build leaves out, and does
// what that one does with the usual relabelling.
func WriteTargets(ctx context.Context, kubeconfig, path string) error {
	cfg, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return fmt.Errorf("reading kubeconfig %q: %w", kubeconfig, err)
	}
	client, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return err
	}
	factory := informers.NewSharedInformerFactory(client, 0)
	pods := factory.Core().V1().Pods()
	// One slot: any number of changes is one reason to write the file.
	changed := make(chan struct{}, 1)
	note := func() {
		select {
		case changed <- struct{}{}:
		default:
		}
	}
	if _, err := pods.Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: func(any) { note() }, UpdateFunc: func(any, any) { note() }, DeleteFunc: func(any) { note() },
	}); err != nil {
		return err
	}
	factory.Start(ctx.Done())
	if !cache.WaitForCacheSync(ctx.Done(), pods.Informer().HasSynced) {
		return ctx.Err()
	}
	note()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		}
		all, err := pods.Lister().List(labels.Everything())
		if err != nil {
			return err
		}
		if err := writeTargetFile(path, targetsOf(all)); err != nil {
			return fmt.Errorf("writing the monitor's targets: %w", err)
		}
		// Prometheus reads the file at each change: a burst of them is one.
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// targetsOf are the pods to scrape, with the labels that a pod's samples carry. A pod that is about to end is scraped to its end.
func targetsOf(pods []*corev1.Pod) []target {
	targets := []target{}
	for _, pod := range pods {
		if pod.Annotations["prometheus.io/scrape"] != "true" || pod.Status.Phase != corev1.PodRunning || pod.Status.PodIP == "" {
			continue
		}
		port := scrapePort(pod)
		if port == "" {
			continue
		}
		t := target{
			Targets: []string{net.JoinHostPort(pod.Status.PodIP, port)},
			Labels:  map[string]string{"namespace": pod.Namespace, "pod": pod.Name},
		}
		for label, from := range map[string]string{"release": "promote.dev/release", "service": "promote.dev/service"} {
			if value := pod.Labels[from]; value != "" {
				t.Labels[label] = value
			}
		}
		if metrics := pod.Annotations["prometheus.io/path"]; metrics != "" {
			t.Labels["__metrics_path__"] = metrics
		}
		targets = append(targets, t)
	}
	slices.SortFunc(targets, func(a, b target) int { return cmp.Compare(a.Targets[0], b.Targets[0]) })
	return targets
}

// scrapePort is the port that the pod's annotation names, or its first one.
func scrapePort(pod *corev1.Pod) string {
	if port := pod.Annotations["prometheus.io/port"]; port != "" {
		return port
	}
	for _, c := range pod.Spec.Containers {
		for _, p := range c.Ports {
			return fmt.Sprint(p.ContainerPort)
		}
	}
	return ""
}

// writeTargetFile writes the file as a whole, and only when it says something new.
func writeTargetFile(path string, targets []target) error {
	data, err := json.MarshalIndent(targets, "", "  ")
	if err != nil {
		return err
	}
	if old, err := os.ReadFile(path); err == nil && string(old) == string(data) {
		return nil
	}
	if err := os.WriteFile(path+".new", data, 0o644); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
