package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/org/promote/pkg/cluster"
)

// environment is what the namespaces say they are.
const environment = "prod"

// labelProcess is the label by which the lab's tests find what a killed process has left.
const labelProcess = "lab.promote.dev/process"

// namespace is one contender's in one scenario.
type namespace struct {
	w    *world
	name string
	// fault is a folder that all pods see; candidates fail while the file faultFile is there.
	fault string
	// graceful is how long a pod goes on serving when it is told to end.
	graceful time.Duration
}

const faultFile = "on"

func (w *world) newNamespace(ctx context.Context, contender string, graceful time.Duration) (*namespace, error) {
	n := &namespace{w: w, name: "bench-" + contender + "-" + random(), graceful: graceful}
	var err error
	if n.fault, err = os.MkdirTemp(w.work, "fault-"); err != nil {
		return nil, err
	}
	_, err = w.kube.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		Name: n.name, Labels: map[string]string{cluster.LabelEnvironment: environment, labelProcess: strconv.Itoa(os.Getpid())},
	}}, metav1.CreateOptions{})
	if err != nil {
		return nil, err
	}
	w.undo = append(w.undo, n.remove)
	return n, nil
}

// remove waits until its pods are gone, which would disturb the next measurement. On a busy machine the namespace itself takes minutes.
func (n *namespace) remove(ctx context.Context) {
	err := n.w.kube.CoreV1().Namespaces().Delete(ctx, n.name, metav1.DeleteOptions{})
	if err == nil {
		err = await(ctx, cleaning, "its pods are gone", func(ctx context.Context) (bool, error) {
			list, err := n.w.kube.CoreV1().Pods(n.name).List(ctx, metav1.ListOptions{})
			return err == nil && len(list.Items) == 0, err
		})
	}
	if err != nil && !apierrors.IsNotFound(err) {
		fmt.Fprintf(os.Stderr, "removing Namespace/%s: %v: see that it goes\n", n.name, err)
	}
}

// fail lets the candidate's answers fail from now on, also those of pods that come later.
func (n *namespace) fail() error {
	return os.WriteFile(filepath.Join(n.fault, faultFile), nil, 0o600)
}

// heal takes that back.
func (n *namespace) heal() error {
	return os.Remove(filepath.Join(n.fault, faultFile))
}

// pods are those of a version; ready ones are in the endpoint lists or about to be.
func (n *namespace) pods(ctx context.Context, version string) (all, ready int, err error) {
	list, err := n.w.kube.CoreV1().Pods(n.name).List(ctx, metav1.ListOptions{})
	if err != nil {
		return 0, 0, err
	}
	for _, p := range list.Items {
		if !slices.Contains(p.Spec.Containers[0].Args, "-version="+version) {
			continue
		}
		all++
		if p.DeletionTimestamp == nil && slices.ContainsFunc(p.Status.Conditions, func(c corev1.PodCondition) bool {
			return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
		}) {
			ready++
		}
	}
	return all, ready, nil
}

// whole waits until a version has all its pods, and no other has any.
func (n *namespace) whole(ctx context.Context, version string) error {
	return await(ctx, patience, fmt.Sprintf("Namespace/%s has %d ready pods of %s alone", n.name, replicas, version), func(ctx context.Context) (bool, error) {
		all, ready, err := n.pods(ctx, version)
		if err != nil {
			return false, err
		}
		list, err := n.w.kube.CoreV1().Pods(n.name).List(ctx, metav1.ListOptions{LabelSelector: "app"})
		return ready == replicas && all == replicas && err == nil && len(list.Items) == replicas, err
	})
}
