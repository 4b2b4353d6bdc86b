//go:build lab

package e2e

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/org/promote/pkg/cluster"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
)

// load sends requests at a constant rate until it is stopped, and remembers who answered.
type load struct {
	stop func()
	mu   sync.Mutex
	// failures are what went wrong; versions is who answered how often, last who answered last.
	failures []string
	versions map[string]int
}

// startLoad begins with a URL, with or without keep-alive.
func startLoad(url string, perSecond int, keepAlive bool) *load {
	ctx, cancel := context.WithCancel(context.Background())
	l := &load{versions: map[string]int{}}
	var wg sync.WaitGroup
	l.stop = func() { cancel(); wg.Wait() }
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: !keepAlive, MaxIdleConnsPerHost: 20}}
	wg.Go(func() {
		ticker := time.NewTicker(time.Second / time.Duration(perSecond))
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				wg.Go(func() { l.one(client, url) })
			}
		}
	})
	return l
}

func (l *load) one(client *http.Client, url string) {
	started := time.Now()
	var reached phase
	req, err := http.NewRequestWithContext(httptrace.WithClientTrace(context.Background(), reached.trace()), http.MethodGet, url, http.NoBody)
	if err != nil {
		panic(err) // the URL is the lab's own
	}
	resp, err := client.Do(req)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		l.failures = append(l.failures, fmt.Sprintf("%s after %s, %s: %v", started.Format(time.StampMilli), time.Since(started), &reached, err))
		return
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		l.failures = append(l.failures, resp.Status)
	}
	l.versions[resp.Header.Get("Version")]++
}

// phase is how far a request has come: what was lost on the way there and what was not answered have different causes.
type phase struct{ at atomic.Value }

func (p *phase) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		ConnectStart: func(string, string) { p.at.Store("while connecting") },
		GotConn: func(info httptrace.GotConnInfo) {
			p.at.Store(fmt.Sprintf("on the connection from %s, reused: %t", info.Conn.LocalAddr(), info.Reused))
		},
		WroteRequest:         func(httptrace.WroteRequestInfo) { p.at.Store(fmt.Sprintf("%s, once it was sent", p)) },
		GotFirstResponseByte: func() { p.at.Store(fmt.Sprintf("%s, while it was answered", p)) },
	}
}

func (p *phase) String() string {
	at, _ := p.at.Load().(string)
	return cmp.Or(at, "before it connected")
}

// take gives what happened since it was last asked.
func (l *load) take() (versions map[string]int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	versions, l.versions = l.versions, map[string]int{}
	return versions
}

// settle is how long pods run on in these tests: longer than kube-proxy takes to follow.
const settle = 2 * time.Second

// TestClusterLosesNoRequest moves and drains under load, and wants every request answered.
func TestClusterLosesNoRequest(t *testing.T) {
	p := newPlace(t, "e2e")
	c := p.connect()
	ctx := t.Context()
	// The server has no graceful shutdown at all: it ends the moment it is told to, whatever is open.
	p.ready(c, p.apply(c, deployment("checkout-a", "a", 3)+"---\n"+deployment("checkout-b", "b", 3)))
	p.apply(c, service)
	url, err := c.Address(ctx, "checkout", true)
	p.must(url, err)
	p.must(nil, c.AwaitEndpoints(ctx, "checkout", cluster.Endpoints{Releases: []string{"a"}, Min: 3}))
	await(t, url)

	for name, keepAlive := range map[string]bool{"with keep-alive": true, "with a connection for each request": false} {
		t.Run(name, func(t *testing.T) {
			p := p.in(t)
			l := startLoad(url, 100, keepAlive)
			defer l.stop()
			time.Sleep(500 * time.Millisecond)
			if got := l.take(); got["a"] == 0 || got["b"] > 0 {
				t.Errorf("before anything: %v", got)
			}
			// As a canary does: both, then fewer and fewer of the old.
			p.must(nil, c.Select(ctx, "checkout", map[string]string{"app": "checkout", cluster.LabelServe: "true"}))
			p.must(nil, c.AwaitEndpoints(ctx, "checkout", cluster.Endpoints{Releases: []string{"a", "b"}, Min: 3}))
			for keep := 2; keep >= 1; keep-- {
				p.must(nil, c.Drain(ctx, "checkout-a", keep, settle))
			}
			// A kept connection stays with its pod for as long as that lives, and there is always one of a's.
			if got := l.take(); got["a"] == 0 || got["b"] == 0 && !keepAlive {
				t.Errorf("with both selected: %v", got)
			}
			// As a promotion does.
			p.must(nil, c.Select(ctx, "checkout", only("b")))
			p.must(nil, c.AwaitEndpoints(ctx, "checkout", cluster.Endpoints{Releases: []string{"b"}, Min: 3}))
			p.must(nil, c.Drain(ctx, "checkout-a", 0, settle))
			p.awaitGone(c, "a") // until its kubelet has come to it a pod answers on the connections that it has
			l.take()
			time.Sleep(500 * time.Millisecond)
			if got := l.take(); got["b"] == 0 || got["a"] > 0 {
				t.Errorf("after the promotion: %v", got)
			}
			// And back, for the next round.
			p.must(nil, c.Scale(ctx, "checkout-a", 3))
			p.ready(c, []cluster.ObjectRef{{APIVersion: "apps/v1", Kind: "Deployment", Name: "checkout-a"}})
			p.must(nil, c.Select(ctx, "checkout", only("a")))
			p.must(nil, c.AwaitEndpoints(ctx, "checkout", cluster.Endpoints{Releases: []string{"a"}, Min: 3}))
			p.must(nil, c.Drain(ctx, "checkout-b", 0, settle))
			p.must(nil, c.Scale(ctx, "checkout-b", 3))
			p.ready(c, []cluster.ObjectRef{{APIVersion: "apps/v1", Kind: "Deployment", Name: "checkout-b"}})
			l.stop()
			for _, f := range l.failures {
				t.Errorf("lost: %s", f)
			}
		})
	}
	t.Run("a drain that is called off leaves every pod serving", func(t *testing.T) {
		p := p.in(t)
		short, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		if err := c.Drain(short, "checkout-a", 0, time.Minute); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		p.must(nil, c.AwaitEndpoints(ctx, "checkout", cluster.Endpoints{Releases: []string{"a"}, Min: 3}))
	})
	t.Run("pods that a killed run had withdrawn serve again when their release is selected", func(t *testing.T) {
		p := p.in(t)
		pods, err := c.Pods(ctx, "a")
		p.must(pods, err)
		for _, pod := range pods {
			p.must(p.admin.CoreV1().Pods(p.namespace).Patch(ctx, pod.Name, types.MergePatchType, []byte(`{"metadata":{"labels":{"promote.dev/serve":"false"}}}`), metav1.PatchOptions{}))
		}
		p.must(nil, c.Select(ctx, "checkout", only("a")))
		p.must(nil, c.AwaitEndpoints(ctx, "checkout", cluster.Endpoints{Releases: []string{"a"}, Min: 3}))
	})
	t.Run("a bad release's pods are stopped without their preStop", func(t *testing.T) {
		p := p.in(t)
		slow := strings.Replace(deployment("checkout-bad", "bad", 1, "-graceful=60s"), "terminationGracePeriodSeconds: 5", "terminationGracePeriodSeconds: 60", 1)
		p.ready(c, p.apply(c, slow))
		started := time.Now()
		p.must(nil, c.Kill(ctx, "checkout-bad"))
		p.awaitGone(c, "bad")
		t.Logf("gone after %s", time.Since(started))
	})
}

// awaitGone waits until a release has no pod any more, not even one on its way out.
func (p *place) awaitGone(c *cluster.Cluster, release string) {
	p.t.Helper()
	for started := time.Now(); ; time.Sleep(100 * time.Millisecond) {
		pods, err := c.Pods(p.t.Context(), release)
		p.must(pods, err)
		if len(pods) == 0 {
			return
		}
		if time.Since(started) > 20*time.Second {
			p.t.Fatalf("%d pods of %s after %s", len(pods), release, time.Since(started))
		}
	}
}

// await waits until a URL answers.
func await(t *testing.T, url string) {
	t.Helper()
	var last error
	for until := time.Now().Add(20 * time.Second); time.Now().Before(until); time.Sleep(50 * time.Millisecond) {
		resp, err := http.Get(url)
		if err == nil {
			_ = resp.Body.Close()
			return
		}
		last = err
	}
	t.Fatal(last)
}

func get(url string) (pod string, err error) {
	client := &http.Client{Timeout: 40 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get(url)
	if err != nil {
		return "", err
	}
	_ = resp.Body.Close()
	return resp.Header.Get("Pod"), nil
}

// anyReady says that one of the pods is listed as ready.
func anyReady(lists []discoveryv1.EndpointSlice, pods []corev1.Pod) bool {
	for _, list := range lists {
		for _, e := range list.Endpoints {
			listed := e.TargetRef != nil && slices.ContainsFunc(pods, func(p corev1.Pod) bool { return p.Name == e.TargetRef.Name })
			if listed && (e.Conditions.Ready == nil || *e.Conditions.Ready) {
				return true
			}
		}
	}
	return false
}

func TestClusterForward(t *testing.T) {
	t.Parallel()
	p := newPlace(t, "e2e")
	c := p.connect()
	ctx := t.Context()
	own := strings.NewReplacer("LoadBalancer", "ClusterIP", "name: checkout", "name: checkout-candidate").Replace(service)
	p.ready(c, p.apply(c, deployment("checkout-a", "a", 2)+"---\n"+own))
	p.must(nil, c.AwaitEndpoints(ctx, "checkout-candidate", cluster.Endpoints{Releases: []string{"a"}, Min: 2}))
	f, err := c.Forward(ctx, "checkout-candidate", "")
	p.must(f, err)
	defer f.Close()
	t.Run("reaches every ready pod in turn", func(t *testing.T) {
		seen := map[string]bool{}
		for range 6 {
			pod, err := get(f.URL())
			if err != nil {
				t.Fatal(err)
			}
			seen[pod] = true
		}
		if len(seen) != 2 {
			t.Errorf("reached %v", seen)
		}
	})
	t.Run("many requests at once on kept connections", func(t *testing.T) {
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				for range 10 {
					resp, err := http.Get(f.URL())
					if err != nil {
						t.Error(err)
						return
					}
					_, _ = io.Copy(io.Discard, resp.Body)
					_ = resp.Body.Close()
				}
			})
		}
		wg.Wait()
	})
	t.Run("goes on when all pods are replaced", func(t *testing.T) {
		p := p.in(t)
		before, err := p.admin.CoreV1().Pods(p.namespace).List(ctx, metav1.ListOptions{LabelSelector: "app=checkout"})
		p.must(before, err)
		p.must(nil, p.admin.CoreV1().Pods(p.namespace).DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: "app=checkout"}))
		// A pod that is listed as ready may end in the middle of a request; none of those is listed any more.
		p.must(nil, wait.PollUntilContextTimeout(ctx, 10*time.Millisecond, 10*time.Second, true, func(ctx context.Context) (bool, error) {
			lists, err := p.admin.DiscoveryV1().EndpointSlices(p.namespace).List(ctx, metav1.ListOptions{LabelSelector: discoveryv1.LabelServiceName + "=checkout-candidate"})
			return err == nil && !anyReady(lists.Items, before.Items), err
		}))
		if _, err := get(f.URL()); err != nil {
			t.Error(err)
		}
	})
	t.Run("goes on after the API server was away", func(t *testing.T) {
		p.wire.cut()
		time.AfterFunc(3*time.Second, p.wire.mend)
		if _, err := get(f.URL()); err != nil {
			t.Error(err)
		}
	})
	t.Run("names the ports when the one wanted is none", func(t *testing.T) {
		if _, err := c.Forward(ctx, "checkout-candidate", "grpc"); err == nil || !strings.Contains(err.Error(), "http 80") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("ends with Close", func(t *testing.T) {
		_ = f.Close()
		if _, err := get(f.URL()); err == nil {
			t.Error("still answers")
		}
	})
}

// TestClusterOutage plays a whole deployment while the API server is cut off again and again for seconds.
func TestClusterOutage(t *testing.T) {
	t.Parallel()
	p := newPlace(t, "e2e")
	c := p.connect()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	l, err := c.Lock(ctx, "checkout", "run-1", cluster.LockOptions{})
	p.must(l, err)
	broken := make(chan struct{})
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			p.wire.cut()
			select {
			case <-broken:
				p.wire.mend()
				return
			case <-time.After(2 * time.Second):
			}
			p.wire.mend()
			select {
			case <-broken:
				return
			case <-time.After(600 * time.Millisecond):
			}
		}
	}()
	state, err := c.LoadState(l.Context(), "checkout")
	p.must(state, err)
	state.Phase = "preparing"
	p.must(nil, c.SaveState(l.Context(), state))
	objs := p.objects(deployment("checkout-a", "a", 2, "-ready-after=4s") + "---\n" + service + "---\n" + config)
	changes, err := c.DryRun(l.Context(), objs)
	p.must(changes, err)
	refs := p.apply(c, deployment("checkout-a", "a", 2, "-ready-after=4s")+"---\n"+service+"---\n"+config)
	p.must(nil, c.Wait(l.Context(), refs, nil))
	p.must(nil, c.AwaitEndpoints(l.Context(), "checkout", cluster.Endpoints{Releases: []string{"a"}, Min: 2}))
	p.must(nil, c.Select(l.Context(), "checkout", only("b")))
	p.must(nil, c.Select(l.Context(), "checkout", only("a")))
	p.must(nil, c.Drain(l.Context(), "checkout-a", 1, time.Second))
	state.Phase = "idle"
	p.must(nil, c.SaveState(l.Context(), state))
	p.must(nil, c.Delete(l.Context(), refs))
	p.must(nil, c.AwaitGone(l.Context(), refs))

	close(broken)
	<-stopped
	p.must(nil, l.Release(ctx))
}

func TestClusterAdopt(t *testing.T) {
	t.Parallel()
	p := newPlace(t, "e2e")
	c := p.connect()
	ctx := t.Context()
	plain := strings.NewReplacer(", promote.dev/release: a", "", ", promote.dev/serve: \"true\"", "", "promote.dev/service: checkout", "team: shop").Replace(deployment("legacy", "a", 2))
	open := strings.NewReplacer(`, promote.dev/serve: "true", promote.dev/release: a`, "", "LoadBalancer", "ClusterIP").Replace(service)
	refs := p.apply(c, plain+"---\n"+open)
	p.ready(c, refs)
	uids := func() map[types.UID]bool {
		pods, err := p.admin.CoreV1().Pods(p.namespace).List(ctx, metav1.ListOptions{LabelSelector: "app=checkout"})
		p.must(pods, err)
		out := map[types.UID]bool{}
		for _, pod := range pods.Items {
			out[pod.UID] = true
		}
		return out
	}
	before := uids()
	for range 2 {
		// Twice: a run that was killed repeats it.
		p.must(nil, c.Adopt(ctx, "checkout", "legacy", "old"))
	}
	t.Run("keeps every pod and narrows the Service to them", func(t *testing.T) {
		p := p.in(t)
		p.must(nil, c.AwaitEndpoints(ctx, "checkout", cluster.Endpoints{Releases: []string{"old"}, Min: 2}))
		after := uids()
		if len(after) != len(before) {
			t.Errorf("%d pods before, %d after", len(before), len(after))
		}
		for uid := range before {
			if !after[uid] {
				t.Error("a pod was replaced")
			}
		}
	})
	t.Run("a pod that is made later belongs to the release", func(t *testing.T) {
		p := p.in(t)
		p.must(nil, p.admin.CoreV1().Pods(p.namespace).DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: "app=checkout"}))
		for {
			pods, err := c.Pods(ctx, "old")
			p.must(pods, err)
			fresh := 0
			for _, pod := range pods {
				if !before[pod.UID] && pod.Status.Phase == corev1.PodRunning {
					fresh++
				}
			}
			if fresh == 2 {
				break
			}
			time.Sleep(100 * time.Millisecond)
		}
		p.must(nil, c.AwaitEndpoints(ctx, "checkout", cluster.Endpoints{Releases: []string{"old"}, Min: 2}))
	})
	t.Run("drains like any release", func(t *testing.T) {
		p := p.in(t)
		p.must(nil, c.Drain(ctx, "legacy", 1, 0))
		if n, _, err := c.Replicas(ctx, "legacy"); err != nil || n != 1 {
			t.Errorf("%d replicas, %v", n, err)
		}
	})
}
