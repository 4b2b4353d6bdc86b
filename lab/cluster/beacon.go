package cluster

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes"
)

// systemNamespace holds what belongs to the lab itself.
const systemNamespace = "promote-lab"

// pauseImage is the lab's own image in its registry.
func pauseImage() string { return registry() + "/promote-lab/pause:latest" }

// lightBeacon makes a pod behind a Service of type LoadBalancer. As long as it answers there, everything between a client and a
// container works: scheduler, kubelet, containerd, bridge, load balancer and kube-proxy.
func lightBeacon(ctx context.Context, client kubernetes.Interface) error {
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: systemNamespace}}
	if _, err := client.CoreV1().Namespaces().Create(ctx, namespace, metav1.CreateOptions{}); ignoreExists(err) != nil {
		return fmt.Errorf("making the beacon: %w", err)
	}
	app := map[string]string{"app": "beacon"}
	no, one := false, int32(1)
	deployment := &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "beacon"},
		Spec: appsv1.DeploymentSpec{
			Replicas: &one,
			Selector: &metav1.LabelSelector{MatchLabels: app},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: app},
				Spec: corev1.PodSpec{
					AutomountServiceAccountToken: &no,
					Containers: []corev1.Container{{
						Name: "beacon", Image: pauseImage(), Args: []string{"answer"}, ImagePullPolicy: corev1.PullIfNotPresent,
					}},
				},
			},
		},
	}
	if _, err := client.AppsV1().Deployments(systemNamespace).Create(ctx, deployment, metav1.CreateOptions{}); ignoreExists(err) != nil {
		return fmt.Errorf("making the beacon: %w", err)
	}
	service := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "beacon"},
		Spec: corev1.ServiceSpec{
			Type: corev1.ServiceTypeLoadBalancer, Selector: app,
			Ports: []corev1.ServicePort{{Port: 80, TargetPort: intstr.FromInt32(8080)}},
		},
	}
	if _, err := client.CoreV1().Services(systemNamespace).Create(ctx, service, metav1.CreateOptions{}); ignoreExists(err) != nil {
		return fmt.Errorf("making the beacon: %w", err)
	}
	return nil
}

// askBeacon asks the beacon for an answer through its load balancer, once.
func askBeacon(ctx context.Context, client kubernetes.Interface) error {
	service, err := client.CoreV1().Services(systemNamespace).Get(ctx, "beacon", metav1.GetOptions{})
	if err != nil {
		return fmt.Errorf("asking the beacon: %w", err)
	}
	if len(service.Status.LoadBalancer.Ingress) == 0 {
		return errors.New("asking the beacon: Service/promote-lab/beacon has no address")
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	transport := &http.Transport{DisableKeepAlives: true}
	if err := ask(ctx, transport, "http://"+service.Status.LoadBalancer.Ingress[0].IP); err != nil {
		return fmt.Errorf("asking the beacon (Service/promote-lab/beacon): %w%s", err, podsSay(ctx, client))
	}
	return nil
}

// podsSay is why the beacon's pod does not run, when it does not.
func podsSay(ctx context.Context, client kubernetes.Interface) string {
	events, err := client.CoreV1().Events(systemNamespace).List(context.WithoutCancel(ctx), metav1.ListOptions{FieldSelector: "type=Warning"})
	if err != nil || len(events.Items) == 0 {
		return ""
	}
	last := events.Items[len(events.Items)-1]
	return fmt.Sprintf("; %s/%s/%s: %s: %s", last.InvolvedObject.Kind, systemNamespace, last.InvolvedObject.Name, last.Reason, last.Message)
}

// askNode is nil when the node says that it is ready.
func askNode(ctx context.Context, client kubernetes.Interface) error {
	node, err := client.CoreV1().Nodes().Get(ctx, nodeName, metav1.GetOptions{})
	if err != nil {
		return fmt.Errorf("asking for Node/%s: %w", nodeName, err)
	}
	for _, c := range node.Status.Conditions {
		if c.Type == corev1.NodeReady {
			if c.Status == corev1.ConditionTrue {
				return nil
			}
			return fmt.Errorf("Node/%s is not ready: %s: %s", nodeName, c.Reason, c.Message)
		}
	}
	return fmt.Errorf("Node/%s has not said yet whether it is ready", nodeName)
}
