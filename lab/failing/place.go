package failing

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
)

// Place is a case as it happens in a namespace.
type Place struct {
	world     *World
	namespace string
	ended     context.CancelFunc
	acting    sync.WaitGroup
	mu        sync.Mutex
	// outside is what was made that does not go with the namespace.
	outside []*unstructured.Unstructured
	errs    []error
	// Subject is what is waited for, as the API server has it.
	Subject *unstructured.Unstructured
}

// settled is how long a rule needs until the API server keeps to it: it reads its policies and quotas from a cache.
const settled = 1500 * time.Millisecond

// Make applies the case in the namespace, which is there and is the caller's. End with Remove.
func (w *World) Make(ctx context.Context, namespace string, c Case) (*Place, error) {
	v := w.values(namespace)
	first, err := c.objects("manifest.yaml", v)
	if err != nil {
		return nil, err
	}
	later, err := c.objects("later.yaml", v)
	if err != nil {
		return nil, err
	}
	acting, cancel := context.WithCancel(ctx)
	p := &Place{world: w, namespace: namespace, ended: cancel}
	if c.Node {
		if err := p.playNode(acting, c.LostAfter.Duration); err != nil {
			return nil, errors.Join(err, p.Remove(ctx))
		}
	}
	rules := false
	for _, o := range first {
		subject := o.GetKind() == c.Kind() && o.GetName() == c.ObjectName()
		if subject && rules {
			if err := sleep(ctx, settled); err != nil {
				return nil, errors.Join(err, p.Remove(ctx))
			}
		}
		if subject && c.Leaving != "" {
			if err := p.tellToGo(ctx, c.Leaving); err != nil {
				return nil, errors.Join(err, p.Remove(ctx))
			}
		}
		made, err := p.apply(ctx, o)
		if err != nil {
			return nil, errors.Join(err, p.Remove(ctx))
		}
		rules = true
		if subject {
			p.Subject = made
		}
	}
	if p.Subject == nil {
		return nil, errors.Join(fmt.Errorf("reading the case %q: its manifest has no %s", c.Name, c.Subject), p.Remove(ctx))
	}
	if len(later) > 0 {
		p.acting.Go(func() {
			if sleep(acting, c.Later.Duration) != nil {
				return
			}
			for _, o := range later {
				_, err := p.apply(acting, o)
				p.keep(err)
			}
		})
	}
	return p, nil
}

// apply applies one object; what is outside of the namespace is remembered.
func (p *Place) apply(ctx context.Context, o *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	client, inside, err := p.client(o)
	if err != nil {
		return nil, err
	}
	if !inside {
		p.mu.Lock()
		p.outside = append(p.outside, o)
		p.mu.Unlock()
	}
	data, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	force := true
	made, err := client.Patch(ctx, o.GetName(), types.ApplyPatchType, data, metav1.PatchOptions{FieldManager: "promote-lab", Force: &force})
	if err != nil {
		return nil, fmt.Errorf("applying %s/%s: %w", o.GetKind(), o.GetName(), err)
	}
	return made, nil
}

// tellToGo deletes a pod once it runs, so that it is on its way out for a while.
func (p *Place) tellToGo(ctx context.Context, subject string) error {
	pods := p.world.client.CoreV1().Pods(p.namespace)
	name := strings.TrimPrefix(subject, "Pod/")
	for {
		pod, err := pods.Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return fmt.Errorf("reading %s: %w", subject, err)
		}
		if pod.Status.Phase == corev1.PodRunning {
			return pods.Delete(ctx, name, metav1.DeleteOptions{})
		}
		if err := sleep(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
}

func (p *Place) client(o *unstructured.Unstructured) (client dynamic.ResourceInterface, inside bool, err error) {
	gvk := o.GroupVersionKind()
	mapping, err := p.world.mapper.RESTMapping(gvk.GroupKind(), gvk.Version)
	if err != nil {
		return nil, false, err
	}
	resource := p.world.dynamic.Resource(mapping.Resource)
	if mapping.Scope.Name() == meta.RESTScopeNameNamespace {
		return resource.Namespace(p.namespace), true, nil
	}
	return resource, false, nil
}

// Remove ends what acts and removes what does not go with the namespace. Errors of what acted come with it.
func (p *Place) Remove(ctx context.Context) error {
	p.ended()
	p.acting.Wait()
	// The caller's context may be over; what is left behind would concern others.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	for _, o := range p.outside {
		client, _, err := p.client(o)
		if err == nil {
			err = client.Delete(ctx, o.GetName(), metav1.DeleteOptions{})
		}
		if !apierrors.IsNotFound(err) {
			p.keep(err)
		}
	}
	return errors.Join(p.errs...)
}

func (p *Place) keep(err error) {
	if err == nil || errors.Is(err, context.Canceled) {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.errs = append(p.errs, err)
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}
