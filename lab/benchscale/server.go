package main

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/org/promote/pkg/cluster"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// served is what the API server says of itself: answers to everybody, and requests that its fair queues refused.
type served struct {
	Requests float64 `json:"requests"`
	Rejected float64 `json:"rejected"`
}

func (s served) minus(before served) served {
	return served{s.Requests - before.Requests, s.Rejected - before.Rejected}
}

func (w *world) served(ctx context.Context) (served, error) {
	text, err := w.kube.CoreV1().RESTClient().Get().AbsPath("/metrics").DoRaw(ctx)
	if err != nil {
		return served{}, fmt.Errorf("reading the API server's metrics: %w", err)
	}
	s := served{Requests: sum(text, "apiserver_request_total"), Rejected: sum(text, "apiserver_flowcontrol_rejected_requests_total")}
	if s.Requests == 0 {
		return s, fmt.Errorf("reading the API server's metrics: there is no apiserver_request_total in %d bytes", len(text))
	}
	return s, nil
}

// sum adds a counter up over all its labels.
func sum(metrics []byte, name string) float64 {
	total := 0.0
	for line := range bytes.Lines(metrics) {
		text := string(line)
		rest, is := strings.CutPrefix(text, name)
		if !is || !strings.HasPrefix(rest, "{") && !strings.HasPrefix(rest, " ") {
			continue
		}
		value, err := strconv.ParseFloat(strings.TrimSpace(text[strings.LastIndexByte(strings.TrimSpace(text), ' '):]), 64)
		if err == nil {
			total += value
		}
	}
	return total
}

// unsettled counts the pods of services that are not ready, or on their way out.
func (w *world) unsettled(ctx context.Context) (int, error) {
	pods, err := w.kube.CoreV1().Pods(metav1.NamespaceAll).List(ctx, metav1.ListOptions{LabelSelector: cluster.LabelRelease, ResourceVersion: "0"})
	if err != nil {
		return 0, err
	}
	n := 0
	for _, p := range pods.Items {
		if p.Spec.NodeSelector[labelNode] != "" && (p.DeletionTimestamp != nil || p.Status.Phase != corev1.PodRunning) {
			n++
		}
	}
	return n, nil
}
