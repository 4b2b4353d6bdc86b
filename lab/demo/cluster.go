package demo

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/org/promote/lab/world"
	"github.com/org/promote/pkg/cluster"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
)

// makeNamespaces makes the three environments in a cluster that does not have them. One that is there must say that it is the
// environment: the demo deletes what it finds in it.
func (s *scene) makeNamespaces(ctx context.Context) error {
	for _, env := range world.Environments {
		found, err := s.kube.CoreV1().Namespaces().Get(ctx, env, metav1.GetOptions{})
		if cluster.IsNotFound(err) {
			found, err = s.kube.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
				Name: env, Labels: map[string]string{cluster.LabelEnvironment: env},
			}}, metav1.CreateOptions{})
		}
		if err != nil {
			return fmt.Errorf("making namespace %s: %w", env, err)
		}
		if found.Labels[cluster.LabelEnvironment] != env {
			return fmt.Errorf("namespace %s is there and is not the demo's: label it %s=%s if the demo may use it", env, cluster.LabelEnvironment, env)
		}
	}
	return nil
}

// sweep empties the three namespaces of what an earlier demo left there, and removes its previews, so that the story begins at
// its beginning.
func (s *scene) sweep(ctx context.Context) error {
	if err := s.sweepPreviews(ctx); err != nil {
		return err
	}
	background := metav1.DeletePropagationBackground
	del := metav1.DeleteOptions{PropagationPolicy: &background}
	for _, env := range world.Environments {
		ours := metav1.ListOptions{LabelSelector: cluster.LabelService + "=" + s.service.name}
		if err := s.kube.AppsV1().Deployments(env).DeleteCollection(ctx, del, ours); err != nil {
			return fmt.Errorf("sweeping namespace %s: %w", env, err)
		}
		for _, name := range []string{s.service.name, s.service.name + "-candidate"} {
			if err := s.kube.CoreV1().Services(env).Delete(ctx, name, del); err != nil && !cluster.IsNotFound(err) {
				return fmt.Errorf("deleting Service/%s/%s: %w", env, name, err)
			}
		}
		// What has the service's plain name was put there by hand.
		for _, err := range []error{
			s.kube.AutoscalingV2().HorizontalPodAutoscalers(env).DeleteCollection(ctx, del, ours),
			s.kube.AppsV1().Deployments(env).Delete(ctx, s.service.name, del),
			s.kube.CoreV1().ConfigMaps(env).Delete(ctx, s.service.name, del),
			s.kube.CoreV1().Secrets(env).Delete(ctx, s.service.name, del),
			s.kube.CoreV1().ConfigMaps(env).DeleteCollection(ctx, del, ours),
			s.kube.CoreV1().Secrets(env).DeleteCollection(ctx, del, ours),
			s.kube.CoreV1().ConfigMaps(env).Delete(ctx, "promote-"+s.service.name, del),
			s.kube.CoordinationV1().Leases(env).Delete(ctx, "promote-"+s.service.name, del),
		} {
			if err != nil && !cluster.IsNotFound(err) {
				return fmt.Errorf("sweeping namespace %s: %w", env, err)
			}
		}
		if err := s.awaitNoPods(ctx, env); err != nil {
			return err
		}
	}
	return nil
}

// sweepPreviews removes the namespaces of the demo's own repository's pull requests that a demo left which was interrupted. The next
// pull requests have the same numbers.
func (s *scene) sweepPreviews(ctx context.Context) error {
	ours := metav1.ListOptions{LabelSelector: cluster.LabelPreview + "," + cluster.LabelService + "=" + s.service.name}
	err := wait.PollUntilContextTimeout(ctx, 200*time.Millisecond, 2*time.Minute, true, func(ctx context.Context) (bool, error) {
		found, err := s.kube.CoreV1().Namespaces().List(ctx, ours)
		if err != nil {
			return false, err
		}
		left := false
		for _, n := range found.Items {
			if n.Annotations[cluster.AnnotationRepository] != s.service.repository {
				continue
			}
			left = true
			if n.DeletionTimestamp == nil {
				if err := s.kube.CoreV1().Namespaces().Delete(ctx, n.Name, metav1.DeleteOptions{}); err != nil && !cluster.IsNotFound(err) {
					return false, err
				}
			}
		}
		return !left, nil
	})
	if err != nil {
		return fmt.Errorf("removing the previews of an earlier demo: %w", err)
	}
	return nil
}

func (s *scene) awaitNoPods(ctx context.Context, env string) error {
	err := wait.PollUntilContextTimeout(ctx, 200*time.Millisecond, time.Minute, true, func(ctx context.Context) (bool, error) {
		pods, err := s.kube.CoreV1().Pods(env).List(ctx, metav1.ListOptions{LabelSelector: s.service.pods()})
		return err == nil && len(pods.Items) == 0, nil
	})
	if err != nil {
		return fmt.Errorf("waiting for the pods of an earlier demo in namespace %s to go: %w", env, err)
	}
	return nil
}

// address is where clients reach the service in an environment.
func (s *scene) address(ctx context.Context, env string) (string, error) {
	var url string
	err := wait.PollUntilContextTimeout(ctx, 100*time.Millisecond, 30*time.Second, true, func(ctx context.Context) (bool, error) {
		svc, err := s.kube.CoreV1().Services(env).Get(ctx, s.service.name, metav1.GetOptions{})
		if err == nil && len(svc.Status.LoadBalancer.Ingress) > 0 && len(svc.Spec.Ports) > 0 {
			in := svc.Status.LoadBalancer.Ingress[0]
			url = fmt.Sprintf("http://%s:%d", cmp.Or(in.IP, in.Hostname), svc.Spec.Ports[0].Port)
		}
		return url != "", nil
	})
	if err != nil {
		return "", fmt.Errorf("waiting for the address of Service/%s/%s: %w", env, s.service.name, err)
	}
	return url, nil
}

// serving reads from the API server which release each environment's Service selects alone ("" for none or both), and the
// image id of each of its ready pods by the pod's UID.
func (s *scene) serving(ctx context.Context) (releases map[string]string, pods map[string]map[string]string, err error) {
	releases, pods = map[string]string{}, map[string]map[string]string{}
	for _, env := range world.Environments {
		pods[env] = map[string]string{}
		svc, err := s.kube.CoreV1().Services(env).Get(ctx, s.service.name, metav1.GetOptions{})
		if cluster.IsNotFound(err) {
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		releases[env] = svc.Spec.Selector[cluster.LabelRelease]
		if releases[env] == "" {
			continue
		}
		list, err := s.kube.CoreV1().Pods(env).List(ctx, metav1.ListOptions{LabelSelector: cluster.LabelRelease + "=" + releases[env]})
		if err != nil {
			return nil, nil, err
		}
		for _, p := range list.Items {
			if c := p.Status.ContainerStatuses; p.DeletionTimestamp == nil && len(c) > 0 && c[0].Ready {
				pods[env][string(p.UID)] = c[0].ImageID
			}
		}
	}
	return releases, pods, nil
}

// answers waits until something answers at the address.
func answers(ctx context.Context, address string) error {
	client := &http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	err := wait.PollUntilContextTimeout(ctx, 100*time.Millisecond, 30*time.Second, true, func(ctx context.Context) (bool, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			return false, err
		}
		res, err := client.Do(req)
		if err != nil {
			return false, nil //nolint:nilerr // that is what is waited for
		}
		return true, res.Body.Close()
	})
	if err != nil {
		return fmt.Errorf("waiting for an answer from %s: %w", address, err)
	}
	return nil
}
