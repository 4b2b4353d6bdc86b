package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

const (
	// labelNode is on the simulated nodes, as a label for kwok and the services' pods to find them by, and as a taint that keeps
	// everybody else's pods off.
	labelNode = "lab.promote.dev/simulated"
	nodeCount = 5
	// simulatedPods are addresses that nobody sends to: the Services are marked so that kube-proxy leaves them alone.
	simulatedPods = "100.64.0.0/10"
	simulatedNode = "100.127.255.254"
	// leaseTime is how long a node's lease holds, and leasePause the time between two renewals. The node controller gives a node up after
	// 50 s without one, and takes its pods out of every Service.
	leaseTime, leasePause = 40 * time.Second, 5 * time.Second
	// clearTime bounds the removal of what the bench made.
	clearTime = 10 * time.Minute
)

// simulate starts kwok and makes its nodes; they are ready when it returns. What a bench that was killed left is removed first.
func (w *world) simulate(ctx context.Context) error {
	running, log, err := w.startKwok(ctx)
	if err != nil {
		return err
	}
	if err := w.sweep(ctx); err != nil {
		return err
	}
	beating, stop := context.WithCancel(context.WithoutCancel(ctx))
	w.undo = append(w.undo, stop, func() {
		late, cancel := context.WithTimeout(context.WithoutCancel(ctx), clearTime)
		defer cancel()
		if err := w.clear(late, strconv.Itoa(os.Getpid())); err != nil {
			say("clearing up: %v; the next run does it", err)
		}
	})
	for i := range nodeCount {
		name := fmt.Sprintf("simulated-%d-%d", os.Getpid(), i)
		if err := w.addNode(ctx, name); err != nil {
			return err
		}
		go w.beat(beating, name)
	}
	return await(ctx, time.Minute, fmt.Sprintf("%d simulated nodes are ready", nodeCount), func(ctx context.Context) (bool, error) {
		if err := context.Cause(running); err != nil {
			text, _ := os.ReadFile(log)
			return false, fmt.Errorf("%w:\n%s", err, text)
		}
		return w.nodesReady(ctx)
	})
}

func (w *world) addNode(ctx context.Context, name string) error {
	_, err := w.kube.CoreV1().Nodes().Create(ctx, &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{
			labelNode: "true", labelProcess: strconv.Itoa(os.Getpid()), corev1.LabelOSStable: "linux",
		}},
		Spec: corev1.NodeSpec{Taints: []corev1.Taint{{Key: labelNode, Value: "true", Effect: corev1.TaintEffectNoSchedule}}},
	}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	_, err = w.kube.CoordinationV1().Leases(corev1.NamespaceNodeLease).Create(ctx, nodeLease(name), metav1.CreateOptions{})
	return err
}

// beat renews a node's lease, as its kubelet would, until the lease is gone. kwok can do it too, but after one renewal whose answer
// came late on a busy machine it went on to send the old version, and was refused for good.
func (w *world) beat(ctx context.Context, name string) {
	leases := w.kube.CoordinationV1().Leases(corev1.NamespaceNodeLease)
	for {
		renewal := fmt.Appendf(nil, `{"spec":{"renewTime":%q}}`, time.Now().UTC().Format(metav1.RFC3339Micro))
		_, err := leases.Patch(ctx, name, types.MergePatchType, renewal, metav1.PatchOptions{})
		switch {
		case apierrors.IsNotFound(err) || ctx.Err() != nil:
			return
		case err != nil:
			say("renewing Lease/%s/%s: %v", corev1.NamespaceNodeLease, name, err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(leasePause):
		}
	}
}

func nodeLease(name string) *coordinationv1.Lease {
	seconds, now := int32(leaseTime/time.Second), metav1.NewMicroTime(time.Now())
	return &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{labelProcess: strconv.Itoa(os.Getpid()), labelNode: "true"}},
		Spec:       coordinationv1.LeaseSpec{HolderIdentity: &name, LeaseDurationSeconds: &seconds, RenewTime: &now},
	}
}

func (w *world) nodesReady(ctx context.Context) (bool, error) {
	nodes, err := w.kube.CoreV1().Nodes().List(ctx, metav1.ListOptions{LabelSelector: labelNode})
	if err != nil {
		return false, err
	}
	ready := 0
	for _, n := range nodes.Items {
		for _, c := range n.Status.Conditions {
			if c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue {
				ready++
			}
		}
	}
	return ready >= nodeCount, nil
}

// sweep removes what benches that are dead have left.
func (w *world) sweep(ctx context.Context) error {
	nodes, err := w.kube.CoreV1().Nodes().List(ctx, metav1.ListOptions{LabelSelector: labelNode})
	if err != nil {
		return err
	}
	var errs []error
	done := map[string]bool{}
	for _, n := range nodes.Items {
		process := n.Labels[labelProcess]
		pid, err := strconv.Atoi(process)
		if done[process] || err == nil && !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			continue
		}
		done[process] = true
		errs = append(errs, w.clear(ctx, process))
	}
	return errors.Join(errs...)
}

// clear removes the namespaces of a process, waits until their pods are gone, which takes kwok, and removes its nodes.
func (w *world) clear(ctx context.Context, process string) error {
	of, core := metav1.ListOptions{LabelSelector: labelProcess + "=" + process + "," + labelNode}, w.kube.CoreV1()
	spaces, err := core.Namespaces().List(ctx, of)
	if err != nil {
		return err
	}
	for _, n := range spaces.Items {
		err = errors.Join(err, core.Namespaces().Delete(ctx, n.Name, metav1.DeleteOptions{}))
	}
	if err != nil {
		return err
	}
	if len(spaces.Items) > 0 {
		say("removing %d namespaces …", len(spaces.Items))
	}
	err = await(ctx, clearTime, "the namespaces are gone", func(ctx context.Context) (bool, error) {
		left, err := core.Namespaces().List(ctx, of)
		return err == nil && len(left.Items) == 0, err
	})
	return errors.Join(err, core.Nodes().DeleteCollection(ctx, metav1.DeleteOptions{}, of),
		w.kube.CoordinationV1().Leases(corev1.NamespaceNodeLease).DeleteCollection(ctx, metav1.DeleteOptions{}, of))
}

// await looks every tenth of a second until something is so.
func await(ctx context.Context, limit time.Duration, what string, is func(context.Context) (bool, error)) error {
	bounded, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for {
		so, err := is(bounded)
		if so || err != nil && bounded.Err() == nil {
			return err
		}
		select {
		case <-bounded.Done():
			return fmt.Errorf("waiting until %s: %w", what, context.Cause(bounded))
		case <-time.After(100 * time.Millisecond):
		}
	}
}
