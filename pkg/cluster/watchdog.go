package cluster

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	quantity "k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

const (
	// WatchdogAccount is the service account that a watchdog's pod has; docs/role-watchdog.yaml makes it.
	WatchdogAccount = "promote-watchdog"
	// WatchdogPort is where a watchdog says that it is ready, at /ready.
	WatchdogPort = 8089
	// LabelWatchdog is on a watchdog's Job and pods; its value is the service. They carry no label of the service itself, so that
	// no selector, list or prune of its pods finds them.
	LabelWatchdog = "promote.dev/watchdog"
	// watchdogStart bounds the wait for a watchdog: its image is pulled once per node and version.
	watchdogStart = 90 * time.Second
	// watchdogTries is how often a watchdog that fails begins anew, with pauses that grow to minutes.
	watchdogTries = 20
	// watchdogKept is how long its Job is kept when it is done and nobody has deleted it, in seconds.
	watchdogKept = 600
)

// WatchdogConfig says what a watchdog is made of.
type WatchdogConfig struct {
	Service string
	// Run is the run that is watched.
	Run string
	// Image is repository@digest, Args what its program gets; Arch is the architecture it is built for, in Go's words.
	Image string
	Args  []string
	Arch  string
}

// ErrNoWatchdogAccount says that the namespace has no account for a watchdog.
var ErrNoWatchdogAccount = errors.New("there is no ServiceAccount " + WatchdogAccount + "; docs/role-watchdog.yaml makes it, with the rights it needs")

// Watchdog is a Job that watches a run.
type Watchdog struct {
	cluster *Cluster
	job     ObjectRef
}

// StartWatchdog makes the Job and waits until its pod says that it watches. When that fails, the Job is gone again.
func (c *Cluster) StartWatchdog(ctx context.Context, cfg WatchdogConfig) (*Watchdog, error) {
	if err := c.CheckWatchdog(ctx); err != nil {
		return nil, err
	}
	job, err := c.Client.Jobs(c.Namespace).Create(ctx, watchdogJob(cfg), metav1.CreateOptions{FieldManager: managerOf(cfg.Service)})
	if err != nil {
		return nil, c.failed("making the watchdog's Job", err)
	}
	w := &Watchdog{cluster: c, job: ObjectRef{APIVersion: "batch/v1", Kind: "Job", Namespace: c.Namespace, Name: job.Name, UID: job.UID}}
	if err := w.await(ctx); err != nil {
		return nil, errors.Join(err, w.Stop(context.WithoutCancel(ctx)))
	}
	return w, nil
}

// CheckWatchdog makes sure that the account of a watchdog is there: [ErrNoWatchdogAccount] when it is not.
func (c *Cluster) CheckWatchdog(ctx context.Context) error {
	_, err := c.Client.ServiceAccounts(c.Namespace).Get(ctx, WatchdogAccount, metav1.GetOptions{})
	switch {
	case IsNotFound(err):
		return fmt.Errorf("starting the watchdog in namespace %s: %w", c.Namespace, ErrNoWatchdogAccount)
	case err != nil:
		return c.failed("reading "+c.subject("ServiceAccount", WatchdogAccount), err)
	}
	return nil
}

// String names the Job.
func (w *Watchdog) String() string { return w.job.String() }

// Stop removes the watchdog. One that can't be removed ends by itself, when it sees that nothing is left to watch.
func (w *Watchdog) Stop(ctx context.Context) error {
	background := metav1.DeletePropagationBackground
	err := w.cluster.Client.Jobs(w.job.Namespace).Delete(ctx, w.job.Name, metav1.DeleteOptions{
		PropagationPolicy: &background, Preconditions: &metav1.Preconditions{UID: &w.job.UID},
	})
	if IsNotFound(err) || apierrors.IsConflict(err) {
		return nil
	}
	return w.cluster.failed("removing the watchdog "+w.job.String(), err)
}

// await waits for a pod of the Job that is ready.
func (w *Watchdog) await(ctx context.Context) error {
	err := w.cluster.poll(ctx, watchdogStart, func(ctx context.Context) (string, error) {
		pods, err := w.cluster.pods(ctx, batchv1.JobNameLabel+"="+w.job.Name)
		if err != nil {
			return "", err
		}
		for _, p := range pods {
			if missing := lackOfWatchdog(&p); missing == "" || len(pods) == 1 {
				return missing, nil
			}
		}
		return "no pod of it is there", nil
	})
	if err != nil {
		return fmt.Errorf("waiting for the watchdog %s: %w", w.job, err)
	}
	return nil
}

// lackOfWatchdog says what a watchdog's pod lacks; "" is nothing.
func lackOfWatchdog(p *corev1.Pod) string {
	subject := "Pod/" + p.Namespace + "/" + p.Name
	for _, c := range p.Status.Conditions {
		switch {
		case c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue:
			return ""
		case c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse:
			return subject + " is not scheduled: " + c.Message
		}
	}
	for _, c := range p.Status.ContainerStatuses {
		switch {
		case c.State.Waiting != nil:
			return strings.TrimSuffix(fmt.Sprintf("%s waits: %s: %s", subject, c.State.Waiting.Reason, c.State.Waiting.Message), ": ")
		case c.State.Terminated != nil:
			return fmt.Sprintf("%s ended with code %d: %s", subject, c.State.Terminated.ExitCode, strings.TrimSpace(c.State.Terminated.Message))
		}
	}
	return subject + " is not ready yet"
}

// watchdogJob is the Job: one small pod that may do what its account's role says, and holds nothing but its program.
func watchdogJob(cfg WatchdogConfig) *batchv1.Job {
	labels := map[string]string{LabelWatchdog: cfg.Service}
	port := intstr.FromInt32(WatchdogPort)
	return &batchv1.Job{
		// The name is made up by the API server: several runs, and several tries of one, never meet.
		ObjectMeta: metav1.ObjectMeta{GenerateName: watchdogName(cfg.Service), Labels: labels, Annotations: map[string]string{AnnotationRun: cfg.Run}},
		Spec: batchv1.JobSpec{
			BackoffLimit: new(int32(watchdogTries)), TTLSecondsAfterFinished: new(int32(watchdogKept)),
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels, Annotations: map[string]string{"cluster-autoscaler.kubernetes.io/safe-to-evict": "false"}},
				Spec: corev1.PodSpec{
					ServiceAccountName: WatchdogAccount, RestartPolicy: corev1.RestartPolicyOnFailure, EnableServiceLinks: new(false),
					TerminationGracePeriodSeconds: new(int64(5)),
					NodeSelector:                  map[string]string{corev1.LabelOSStable: "linux", corev1.LabelArchStable: cfg.Arch},
					SecurityContext: &corev1.PodSecurityContext{
						RunAsNonRoot: new(true), RunAsUser: new(int64(65532)), RunAsGroup: new(int64(65532)),
						SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
					},
					Containers: []corev1.Container{{
						Name: "watchdog", Image: cfg.Image, Args: cfg.Args,
						TerminationMessagePolicy: corev1.TerminationMessageFallbackToLogsOnError,
						Ports:                    []corev1.ContainerPort{{Name: "ready", ContainerPort: WatchdogPort}},
						ReadinessProbe: &corev1.Probe{
							ProbeHandler:  corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/ready", Port: port}},
							PeriodSeconds: 1, TimeoutSeconds: 2, FailureThreshold: 5,
						},
						Resources: corev1.ResourceRequirements{
							Requests: corev1.ResourceList{corev1.ResourceCPU: quantity.MustParse("10m"), corev1.ResourceMemory: quantity.MustParse("32Mi")},
							Limits:   corev1.ResourceList{corev1.ResourceMemory: quantity.MustParse("128Mi")},
						},
						SecurityContext: &corev1.SecurityContext{
							AllowPrivilegeEscalation: new(false), ReadOnlyRootFilesystem: new(true),
							Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
						},
					}},
				},
			},
		},
	}
}

// watchdogName begins a Job's name. A pod's name, which is longer by ten characters, has to fit into a label.
func watchdogName(service string) string {
	const most = 63 - len("promote-watchdog-") - 2*len("-12345")
	if len(service) > most {
		service = strings.TrimRight(service[:most], "-.")
	}
	return "promote-watchdog-" + service + "-"
}
