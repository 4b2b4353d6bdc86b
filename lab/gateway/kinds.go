package gateway

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/clientcmd"
)

const (
	// labelGateway says on a GatewayClass which namespace it is for, and on a kind that it was put there by this package.
	labelGateway = "lab.promote.dev/gateway"
	// labelProcess says on a GatewayClass which process made it.
	labelProcess = "lab.promote.dev/process"
)

var definitions = schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}

// kinds are the Gateway API's kinds in a cluster. Who uses them has a GatewayClass; without one they go.
type kinds struct {
	client dynamic.Interface
	// lock is a file that whoever changes the kinds or classes has locked.
	lock string
	// class is the GatewayClass that was made, if one was.
	class string
}

func open(kubeconfig, dir string) (*kinds, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("reading the admin's kubeconfig: %w", err)
	}
	config.QPS = -1
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	return &kinds{client: client, lock: filepath.Join(dir, "gateway.lock")}, nil
}

// use installs the kinds of a folder unless they are there, and makes the namespace's class.
func (k *kinds) use(ctx context.Context, folder, namespace string) error {
	unlock, err := k.alone(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if err := k.install(ctx, folder); err != nil {
		return err
	}
	if err := k.removeOrphans(ctx); err != nil {
		return err
	}
	class := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": group + "/v1", "kind": "GatewayClass", "spec": map[string]any{"controllerName": controller},
	}}
	class.SetName(className(namespace))
	class.SetLabels(map[string]string{labelGateway: namespace, labelProcess: strconv.Itoa(os.Getpid())})
	if _, err = k.client.Resource(classes).Create(ctx, class, metav1.CreateOptions{}); err != nil {
		return err
	}
	k.class = class.GetName()
	return nil
}

// className is the name of a namespace's class.
func className(namespace string) string { return "lab-" + namespace }

// leave removes the class that was made, and the kinds when nobody else has one.
func (k *kinds) leave(ctx context.Context) error {
	if k.class == "" {
		return nil
	}
	unlock, err := k.alone(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if err := ignoreGone(k.client.Resource(classes).Delete(ctx, k.class, metav1.DeleteOptions{})); err != nil {
		return err
	}
	if err := k.removeOrphans(ctx); err != nil {
		return err
	}
	rest, err := k.client.Resource(classes).List(ctx, metav1.ListOptions{Limit: 1})
	if err != nil {
		return ignoreGone(err)
	}
	if len(rest.Items) > 0 {
		return nil
	}
	return k.uninstall(ctx)
}

// removeOrphans removes the classes of processes that were killed before they could.
func (k *kinds) removeOrphans(ctx context.Context) error {
	list, err := k.client.Resource(classes).List(ctx, metav1.ListOptions{LabelSelector: labelProcess})
	if err != nil {
		return ignoreGone(err)
	}
	var errs []error
	for _, class := range list.Items {
		pid, err := strconv.Atoi(class.GetLabels()[labelProcess])
		if err != nil || !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			continue
		}
		errs = append(errs, ignoreGone(k.client.Resource(classes).Delete(ctx, class.GetName(), metav1.DeleteOptions{})))
	}
	return errors.Join(errs...)
}

// alone waits until nobody else changes the kinds or classes.
func (k *kinds) alone(ctx context.Context) (unlock func(), err error) {
	file, err := os.OpenFile(k.lock, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("locking the Gateway API's kinds: %w", err)
	}
	err = await(ctx, 2*readyLimit, func() error { return syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) })
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("locking the Gateway API's kinds: %w", err)
	}
	return func() { file.Close() }, nil
}

func ignoreGone(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
