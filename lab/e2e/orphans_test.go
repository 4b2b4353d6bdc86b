//go:build lab

package e2e

import (
	"context"
	"errors"
	"os"
	"strconv"
	"syscall"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/org/promote/lab/world"
)

// labelProcess says which test process made a namespace.
const labelProcess = "lab.promote.dev/process"

// removeOrphans begins to remove the namespaces of test processes that were killed before they could: their pods would slow down
// every later run on the same lab.
func removeOrphans(ctx context.Context) error {
	w, err := world.Load(world.DefaultDir())
	if err != nil {
		return err
	}
	config, err := clientcmd.BuildConfigFromFlags("", w.AdminKubeconfig)
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	list, err := client.CoreV1().Namespaces().List(ctx, metav1.ListOptions{LabelSelector: labelProcess})
	if err != nil {
		return err
	}
	var errs []error
	for _, n := range list.Items {
		pid, err := strconv.Atoi(n.Labels[labelProcess])
		if err != nil || n.DeletionTimestamp != nil || pid == os.Getpid() || !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			continue
		}
		errs = append(errs, client.CoreV1().Namespaces().Delete(ctx, n.Name, metav1.DeleteOptions{}))
	}
	return errors.Join(errs...)
}
