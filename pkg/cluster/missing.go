package cluster

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	// retryTime is how long kubelet may take to notice that what a pod lacked is there: it tries again after 10 to 15 seconds.
	retryTime = 20 * time.Second
	// quotaTime is how long a quota may stay full while pods leave: they mostly have 30 seconds for it, and the controller that
	// makes the new ones asks at intervals that double.
	quotaTime = time.Minute
)

// lack is something that a pod waits for. The zero value is nothing.
type lack struct {
	// kind is ConfigMap or Secret, whose key is "" when the whole object is missing; or ResourceQuota, which has neither.
	kind, name, key string
}

// quotaFull is room in a quota.
var quotaFull = lack{kind: "ResourceQuota"}

// kubelet's words for what is not there; they have been the same since 1.8, and the recorded cases hold them.
var (
	lacksObject = regexp.MustCompile(`(configmap|secret) "([^"]+)" not found`)
	lacksKey    = regexp.MustCompile(`couldn't find key (\S+) in (ConfigMap|Secret) [^/\s]+/(\S+)`)
)

// lackOf reads what is missing from Kubernetes' words.
func lackOf(message string) lack {
	if strings.Contains(message, "exceeded quota") {
		return quotaFull
	}
	kinds := map[string]string{"configmap": "ConfigMap", "secret": "Secret"}
	if found := lacksObject.FindStringSubmatch(message); found != nil {
		return lack{kind: kinds[found[1]], name: found[2]}
	}
	if found := lacksKey.FindStringSubmatch(message); found != nil {
		return lack{kind: found[2], name: found[3], key: found[1]}
	}
	return lack{}
}

// has says that what a pod lacked has come, as an operator makes a Secret after the pod, or is about to, as pods that leave make
// room in a quota. What cannot be read has not come. Nothing but the keys of a Secret is looked at.
func (c *Cluster) has(ctx context.Context, l lack) bool {
	held := false
	switch l.kind {
	case quotaFull.kind:
		pods, err := c.pods(ctx, "")
		return err == nil && slices.ContainsFunc(pods, func(p corev1.Pod) bool { return p.DeletionTimestamp != nil })
	case "ConfigMap":
		o, err := c.Client.ConfigMaps(c.Namespace).Get(ctx, l.name, metav1.GetOptions{})
		if err != nil {
			return false
		}
		_, text := o.Data[l.key]
		_, binary := o.BinaryData[l.key]
		held = text || binary
	case "Secret":
		o, err := c.Client.Secrets(c.Namespace).Get(ctx, l.name, metav1.GetOptions{})
		if err != nil {
			return false
		}
		_, held = o.Data[l.key]
	}
	return held || l.kind != "" && l.key == ""
}

// step is a look that asks, before it gives up on something that is missing, whether it has come meanwhile. Then Kubernetes gets
// the time that it needs to try again.
func (w *watcher) step(now time.Time, has func(lack) bool) verdict {
	v := w.look(now)
	if v.failed == nil || v.lacks == (lack{}) {
		return v
	}
	since, come := w.come[v.lacks]
	if !come && has(v.lacks) {
		if w.come == nil {
			w.come = map[lack]time.Time{}
		}
		since, come = now, true
		w.come[v.lacks] = now
	}
	limit, hope := retryTime, "it is there now, and the node has not tried again yet"
	if v.lacks == quotaFull {
		limit, hope = quotaTime, "pods that are on their way out will make room"
	}
	if !come || now.Sub(since) >= limit {
		return v
	}
	return verdict{line: v.failed.Message + "; " + hope}
}
