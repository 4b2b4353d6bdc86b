package failing

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
)

// absent is the taint and the label of a node without a kubelet: nothing runs there that does not ask for it.
const absent = "promote.dev/absent"

// kubeletEvery is how often the played kubelet looks; the controllers wait for tens of seconds.
const kubeletEvery = 500 * time.Millisecond

// playNode makes a node that has one promote.dev/slot and no kubelet, and plays the kubelet: pods become ready at once, and
// leave at once. After lostAfter (0: never) it falls silent, as a kubelet does whose machine is gone.
func (p *Place) playNode(ctx context.Context, lostAfter time.Duration) error {
	name := "absent-" + p.namespace
	client := p.world.client
	amounts := corev1.ResourceList{
		corev1.ResourceCPU: resource.MustParse("1"), corev1.ResourceMemory: resource.MustParse("1Gi"),
		corev1.ResourcePods: resource.MustParse("5"), "promote.dev/slot": resource.MustParse("1"),
	}
	node := &corev1.Node{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Node"},
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{absent: p.namespace}},
		Spec:       corev1.NodeSpec{Taints: []corev1.Taint{{Key: absent, Effect: corev1.TaintEffectNoSchedule}}},
	}
	raw, err := runtime.DefaultUnstructuredConverter.ToUnstructured(node)
	if err != nil {
		return err
	}
	p.outside = append(p.outside, &unstructured.Unstructured{Object: raw})
	made, err := client.CoreV1().Nodes().Create(ctx, node, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("making Node/%s: %w", name, err)
	}
	status, err := json.Marshal(map[string]any{"status": corev1.NodeStatus{
		Capacity: amounts, Allocatable: amounts,
		Conditions: []corev1.NodeCondition{{
			Type: corev1.NodeReady, Status: corev1.ConditionTrue, Reason: "KubeletReady",
			LastHeartbeatTime: metav1.Now(), LastTransitionTime: metav1.Now(),
		}},
	}})
	if err != nil {
		return err
	}
	// A patch, because the controllers write to a new node too.
	if _, err := client.CoreV1().Nodes().PatchStatus(ctx, name, status); err != nil {
		return fmt.Errorf("making Node/%s ready: %w", name, err)
	}
	// The lease is the node's: it goes with it.
	seconds := int32(40)
	owner := metav1.OwnerReference{APIVersion: "v1", Kind: "Node", Name: name, UID: made.UID}
	lease := &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: corev1.NamespaceNodeLease, OwnerReferences: []metav1.OwnerReference{owner}},
		Spec:       coordinationv1.LeaseSpec{HolderIdentity: &name, LeaseDurationSeconds: &seconds},
	}
	if lease, err = client.CoordinationV1().Leases(lease.Namespace).Create(ctx, lease, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("making the lease of Node/%s: %w", name, err)
	}
	p.acting.Go(func() { p.playKubelet(ctx, lease, lostAfter) })
	return p.believed(ctx, name)
}

// believed waits until the controllers take the node for ready: until then nothing is scheduled there.
func (p *Place) believed(ctx context.Context, name string) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		node, err := p.world.client.CoreV1().Nodes().Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return fmt.Errorf("waiting for Node/%s: %w", name, err)
		}
		if len(node.Spec.Taints) == 1 && node.Spec.Taints[0].Key == absent {
			return nil
		}
		if err := sleep(ctx, kubeletEvery); err != nil {
			return fmt.Errorf("waiting for Node/%s, which has the taints %v: %w", name, node.Spec.Taints, err)
		}
	}
}

func (p *Place) playKubelet(ctx context.Context, lease *coordinationv1.Lease, lostAfter time.Duration) {
	alive := ctx
	if lostAfter > 0 {
		var cancel context.CancelFunc
		alive, cancel = context.WithTimeout(ctx, lostAfter)
		defer cancel()
	}
	for sleep(alive, kubeletEvery) == nil {
		now := metav1.NowMicro()
		lease.Spec.RenewTime = &now
		renewed, err := p.world.client.CoordinationV1().Leases(lease.Namespace).Update(alive, lease, metav1.UpdateOptions{})
		if err == nil {
			lease = renewed
		}
		pods, err := p.world.client.CoreV1().Pods(p.namespace).List(alive, metav1.ListOptions{
			FieldSelector: fields.OneTermEqualSelector("spec.nodeName", lease.Name).String(),
		})
		if err != nil {
			continue
		}
		for i := range pods.Items {
			p.playPod(alive, &pods.Items[i])
		}
	}
	// No pod may stay bound to a node that goes: nobody would remove it, nor the namespace.
	<-ctx.Done()
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	none := int64(0)
	p.keep(p.world.client.CoreV1().Pods(p.namespace).DeleteCollection(last, metav1.DeleteOptions{GracePeriodSeconds: &none}, metav1.ListOptions{
		FieldSelector: fields.OneTermEqualSelector("spec.nodeName", lease.Name).String(),
	}))
}

func (p *Place) playPod(ctx context.Context, pod *corev1.Pod) {
	pods := p.world.client.CoreV1().Pods(p.namespace)
	if pod.DeletionTimestamp != nil {
		none := int64(0)
		// It may be gone meanwhile, or have changed: the next look sees to it.
		_ = pods.Delete(ctx, pod.Name, metav1.DeleteOptions{GracePeriodSeconds: &none})
		return
	}
	if pod.Status.Phase != corev1.PodPending {
		return
	}
	now := metav1.Now()
	pod.Status.Phase, pod.Status.StartTime, pod.Status.PodIP = corev1.PodRunning, &now, "192.0.2.10"
	pod.Status.PodIPs = []corev1.PodIP{{IP: pod.Status.PodIP}}
	for _, kind := range []corev1.PodConditionType{corev1.PodInitialized, corev1.ContainersReady, corev1.PodReady} {
		pod.Status.Conditions = append(pod.Status.Conditions, corev1.PodCondition{Type: kind, Status: corev1.ConditionTrue, LastTransitionTime: now})
	}
	for _, c := range pod.Spec.Containers {
		started := true
		pod.Status.ContainerStatuses = append(pod.Status.ContainerStatuses, corev1.ContainerStatus{
			Name: c.Name, Image: c.Image, Ready: true, Started: &started, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: now}},
		})
	}
	_, _ = pods.UpdateStatus(ctx, pod, metav1.UpdateOptions{})
}
