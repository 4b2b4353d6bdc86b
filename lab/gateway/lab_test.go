//go:build lab

package gateway

import (
	"context"
	"crypto/rand"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/org/promote/lab/cluster"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

var namespaces = schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}

// newLab opens the lab that is up.
func newLab(t *testing.T) (*cluster.Lab, *kinds) {
	t.Helper()
	lab, err := cluster.Open(cluster.Config{Out: os.Stderr})
	if err != nil {
		t.Fatal(err)
	}
	k, err := open(lab.World().AdminKubeconfig, lab.Dir())
	if err != nil {
		t.Fatal(err)
	}
	return lab, k
}

// newNamespace makes a namespace and removes it with the test.
func newNamespace(t *testing.T, k *kinds) string {
	t.Helper()
	name := "gateway-" + strings.ToLower(rand.Text()[:8])
	object := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{
		"name": name, "labels": map[string]any{labelProcess: strconv.Itoa(os.Getpid())},
	}}}
	if _, err := k.client.Resource(namespaces).Create(t.Context(), object, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = k.client.Resource(namespaces).Delete(context.Background(), name, metav1.DeleteOptions{}) })
	return name
}

// class is a GatewayClass, nil when it is not there.
func class(t *testing.T, k *kinds, name string) *unstructured.Unstructured {
	t.Helper()
	o, err := k.client.Resource(classes).Get(t.Context(), name, metav1.GetOptions{})
	if err == nil {
		return o
	}
	if !apierrors.IsNotFound(err) {
		t.Error(err)
	}
	return nil
}

func TestGateways(t *testing.T) {
	lab, k := newLab(t)
	t.Run("start and end at the same time, each for its own", func(t *testing.T) {
		var wg sync.WaitGroup
		for range 3 {
			namespace := newNamespace(t, k)
			wg.Go(func() {
				g, err := Start(t.Context(), lab, namespace)
				if err != nil {
					t.Error(err)
					return
				}
				resp, err := http.Get(g.URL)
				if err != nil {
					t.Error(err)
				} else if resp.Body.Close(); resp.StatusCode != http.StatusNotFound {
					t.Errorf("without any route it answers %s", resp.Status)
				}
				if err := g.Close(context.Background()); err != nil {
					t.Error(err)
				}
				if class(t, k, className(namespace)) != nil {
					t.Error("its class is left")
				}
			})
		}
		wg.Wait()
	})
	t.Run("leave no kinds when nobody has a class", func(t *testing.T) {
		// Others may be at work in the same cluster; while this one has the lock they can't come or go.
		unlock, err := k.alone(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer unlock()
		left, err := k.client.Resource(definitions).List(t.Context(), metav1.ListOptions{LabelSelector: labelGateway})
		if err != nil {
			t.Fatal(err)
		}
		if len(left.Items) == 0 {
			return
		}
		if users, err := k.client.Resource(classes).List(t.Context(), metav1.ListOptions{}); err != nil || len(users.Items) == 0 {
			t.Errorf("%d kinds are left, and nobody uses them: %v", len(left.Items), err)
		}
	})
	t.Run("remove the class of one whose process was killed", func(t *testing.T) {
		folder, err := lab.GatewayKinds(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		killed := exec.Command("true")
		if err := killed.Run(); err != nil {
			t.Fatal(err)
		}
		_, orphan := newLab(t)
		if err := orphan.use(t.Context(), folder, "orphan"); err != nil {
			t.Fatal(err)
		}
		o := class(t, k, className("orphan"))
		o.SetLabels(map[string]string{labelGateway: "orphan", labelProcess: strconv.Itoa(killed.Process.Pid)})
		if _, err := k.client.Resource(classes).Update(t.Context(), o, metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
		g, err := Start(t.Context(), lab, newNamespace(t, k))
		if err != nil {
			t.Fatal(err)
		}
		if class(t, k, className("orphan")) != nil {
			t.Error("it is left")
		}
		if err := g.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	t.Run("are told when Traefik ends by itself", func(t *testing.T) {
		g, err := Start(t.Context(), lab, newNamespace(t, k))
		if err != nil {
			t.Fatal(err)
		}
		if err := g.proxy.process.Kill(); err != nil {
			t.Fatal(err)
		}
		<-g.proxy.done
		if err := g.Close(context.Background()); err == nil || !strings.Contains(err.Error(), "ended by itself") {
			t.Errorf("got %v", err)
		}
	})
}
