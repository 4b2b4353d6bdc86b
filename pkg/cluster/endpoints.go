package cluster

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
)

// endpointsTime bounds the wait for an endpoint list; the controller writes one within a second when it runs.
const endpointsTime = 2 * time.Minute

// Endpoints is what a Service's endpoint list is to hold.
type Endpoints struct {
	// Releases are the releases whose ready pods are to be listed, and nobody else's.
	Releases []string
	// Min is the least number of listed pods of each release; 0 counts as 1.
	Min int
}

// AwaitEndpoints waits until the Service's endpoint list holds exactly the ready pods that its selector means, and these are
// pods of the wanted releases, at least Min of each.
func (c *Cluster) AwaitEndpoints(ctx context.Context, service string, want Endpoints) error {
	subject := c.subject("Service", service)
	if len(want.Releases) == 0 {
		return fmt.Errorf("awaiting the endpoints of %s: no release is named", subject)
	}
	err := c.poll(ctx, endpointsTime, func(ctx context.Context) (string, error) {
		s, err := c.Client.Services(c.Namespace).Get(ctx, service, metav1.GetOptions{})
		if err != nil {
			return "", c.failed("reading "+subject, err)
		}
		listed, err := c.listed(ctx, labels.Set{discoveryv1.LabelServiceName: service}.String())
		if err != nil {
			return "", err
		}
		pods, err := c.pods(ctx, labels.Set(s.Spec.Selector).String())
		if err != nil {
			return "", err
		}
		return missingEndpoints(pods, listed, want), nil
	})
	if err != nil {
		return fmt.Errorf("awaiting the endpoints of %s: %w", subject, err)
	}
	return nil
}

// listed gives the UIDs of the pods that ready endpoints of the matching slices stand for, with the Services that list them.
func (c *Cluster) listed(ctx context.Context, selector string) (map[types.UID][]string, error) {
	slices, err := c.Client.EndpointSlices(c.Namespace).List(ctx, metav1.ListOptions{LabelSelector: selector})
	if err != nil {
		return nil, c.failed("listing the endpoint slices of Namespace/"+c.Namespace, err)
	}
	return readyIn(slices.Items), nil
}

func readyIn(items []discoveryv1.EndpointSlice) map[types.UID][]string {
	listed := map[types.UID][]string{}
	for _, slice := range items {
		service := slice.Labels[discoveryv1.LabelServiceName]
		for _, e := range slice.Endpoints {
			// No value means ready, by the API's definition.
			ready := e.Conditions.Ready == nil || *e.Conditions.Ready
			if ready && e.TargetRef != nil {
				listed[e.TargetRef.UID] = append(listed[e.TargetRef.UID], service)
			}
		}
	}
	return listed
}

// missingEndpoints compares the pods that a Service means with those that its endpoint list has; "" when all is as wanted.
func missingEndpoints(pods []corev1.Pod, listed map[types.UID][]string, want Endpoints) string {
	count := map[string]int{}
	ready := map[types.UID]bool{}
	for i := range pods {
		p := &pods[i]
		if !podReady(p) {
			continue
		}
		ready[p.UID] = true
		release := p.Labels[LabelRelease]
		if !slices.Contains(want.Releases, release) {
			return fmt.Sprintf("Pod/%s/%s of release %q is selected too", p.Namespace, p.Name, release)
		}
		if listed[p.UID] == nil {
			return fmt.Sprintf("Pod/%s/%s is ready and not listed yet", p.Namespace, p.Name)
		}
		count[release]++
	}
	for uid := range listed {
		if !ready[uid] {
			return "a pod that is no longer meant, or no longer ready, is still listed"
		}
	}
	var short []string
	for _, release := range want.Releases {
		if count[release] < max(want.Min, 1) {
			short = append(short, fmt.Sprintf("release %s has %d of %d pods listed", release, count[release], max(want.Min, 1)))
		}
	}
	return strings.Join(short, ", ")
}
