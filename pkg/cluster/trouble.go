package cluster

import (
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// Reasons why something will not become ready. They are part of the API: summaries and tests name them, and
// docs/troubleshooting.md says what to do about each.
const (
	ReasonImagePull     = "ImagePull"
	ReasonBadConfig     = "BadConfig"
	ReasonCrashLoop     = "CrashLoop"
	ReasonOutOfMemory   = "OutOfMemory"
	ReasonCannotStart   = "CannotStart"
	ReasonRefused       = "Refused"
	ReasonUnschedulable = "Unschedulable"
	ReasonJobFailed     = "JobFailed"
	ReasonFailed        = "Failed"
	ReasonNotReady      = "NotReady"
	ReasonGone          = "Gone"
)

const (
	// pullPatience is how long a registry may be out of reach before that counts as a failure.
	pullPatience = time.Minute
	// settlePatience is for what another controller may still put right: a Secret that an operator is about to make, a quota
	// that pods on their way out still use.
	settlePatience = 5 * time.Second
	// forgotten is how long a container must run until kubelet starts it again at once, as if it had never ended.
	forgotten = 10 * time.Minute
	// createPatience covers kubelet's own retries of making a container.
	createPatience = 10 * time.Second
)

// trouble is one thing that is wrong with a pod now.
type trouble struct {
	pod       string
	container string
	reason    string
	message   string
	// patience is how long it may stay so before it is a failure; never is not a failure at all.
	patience time.Duration
	// lacks is what is missing, when that is known.
	lacks lack
}

// never marks trouble that only a deadline turns into a failure.
const never = time.Duration(1<<63 - 1)

func (t trouble) String() string {
	where := t.pod
	if t.container != "" {
		where += " container " + t.container
	}
	return where + ": " + t.message
}

// inspect finds what is wrong with a pod. It is pure: how long it has been so is the caller's knowledge.
func inspect(p *corev1.Pod) []trouble {
	if p.DeletionTimestamp != nil {
		return nil
	}
	name := "Pod/" + p.Namespace + "/" + p.Name
	if p.Status.Phase == corev1.PodFailed {
		return []trouble{failedPod(name, p)}
	}
	var found []trouble
	for _, condition := range p.Status.Conditions {
		if condition.Type == corev1.PodScheduled && condition.Status == corev1.ConditionFalse {
			// A node may come up or be freed at any time: never early.
			found = append(found, trouble{pod: name, reason: ReasonUnschedulable, message: condition.Message, patience: never})
		}
	}
	init := len(p.Status.InitContainerStatuses)
	for i, s := range slices.Concat(p.Status.InitContainerStatuses, p.Status.ContainerStatuses) {
		t, bad := inspectContainer(s)
		if !bad {
			continue
		}
		t.pod, t.container = name, s.Name
		if i < init {
			t.container = s.Name + " (init)"
		}
		found = append(found, t)
	}
	return found
}

// transientPods are pods that the cluster took down for reasons of its own; their owner makes new ones.
var transientPods = []string{"Evicted", "Preempting", "NodeShutdown", "Shutdown", "Terminated", "NodeLost", "NodeAffinity", "OutOfcpu", "OutOfmemory",
	"OutOfpods", "UnexpectedAdmissionError", "DeadlineExceeded"}

func failedPod(name string, p *corev1.Pod) trouble {
	t := trouble{pod: name, reason: ReasonFailed, message: strings.TrimSpace(p.Status.Reason + " " + p.Status.Message), patience: settlePatience}
	if slices.Contains(transientPods, p.Status.Reason) {
		t.patience = never
	}
	if t.message != "" {
		// Why the whole pod was ended says more than how its containers took it.
		return t
	}
	for _, s := range slices.Concat(p.Status.InitContainerStatuses, p.Status.ContainerStatuses) {
		if ended := s.State.Terminated; ended != nil && ended.ExitCode != 0 {
			t.container, t.message = s.Name, exited(ended, s.RestartCount)
			break
		}
	}
	if t.message == "" {
		t.message = "the pod failed"
	}
	return t
}

// inspectContainer reads one container's state.
func inspectContainer(s corev1.ContainerStatus) (trouble, bool) {
	last := s.LastTerminationState.Terminated
	if ended := s.State.Terminated; ended != nil && ended.ExitCode != 0 && last != nil && ended.FinishedAt.Sub(last.FinishedAt.Time) < forgotten {
		// It ended, was started again, and ended: kubelet may take ten more seconds to call that a CrashLoopBackOff.
		return crashed(tellingEnd(ended, last), s.RestartCount), true
	}
	if s.State.Waiting == nil {
		return trouble{}, false
	}
	reason, message := s.State.Waiting.Reason, s.State.Waiting.Message
	switch reason {
	case "ErrImagePull", "ImagePullBackOff", "ImageInspectError", "RegistryUnavailable":
		return trouble{reason: ReasonImagePull, message: fmt.Sprintf("image %s: %s", s.Image, orReason(message, reason)), patience: pullPatienceFor(message)}, true
	case "InvalidImageName", "ErrImageNeverPull", "SignatureValidationFailed":
		return trouble{reason: ReasonImagePull, message: fmt.Sprintf("image %s: %s", s.Image, orReason(message, reason))}, true
	case "CreateContainerConfigError":
		t := trouble{reason: ReasonBadConfig, message: orReason(message, reason), patience: settlePatience, lacks: lackOf(message)}
		if strings.Contains(message, "failed to sync") {
			// Kubelet has not read it yet; that is not the same as missing.
			t.patience = pullPatience
		}
		return t, true
	case "CreateContainerError":
		return trouble{reason: ReasonCannotStart, message: orReason(message, reason), patience: createPatience}, true
	case "RunContainerError", "StartError", "ContainerCannotRun", "PostStartHookError", "PreStartHookError":
		return trouble{reason: ReasonCannotStart, message: orReason(message, reason)}, true
	case "CrashLoopBackOff":
		return crashed(s.LastTerminationState.Terminated, s.RestartCount), true
	}
	return trouble{}, false
}

// tellingEnd is the one of two ends in a row that says more. The runtime hears of the kernel's kill apart from the end of the
// process, and on a busy node it calls one of two kills for memory an Error.
func tellingEnd(ended, last *corev1.ContainerStateTerminated) *corev1.ContainerStateTerminated {
	if last.Reason == "OOMKilled" && last.ExitCode == ended.ExitCode {
		return last
	}
	return ended
}

// crashed names why a container that is started again and again ended.
func crashed(last *corev1.ContainerStateTerminated, restarts int32) trouble {
	t := trouble{reason: ReasonCrashLoop, message: "the container ends again and again"}
	if last == nil {
		return t
	}
	t.message = exited(last, restarts)
	switch last.Reason {
	case "OOMKilled":
		t.reason = ReasonOutOfMemory
	case "StartError", "ContainerCannotRun":
		t.reason = ReasonCannotStart
	}
	return t
}

// exited says how a container ended.
func exited(ended *corev1.ContainerStateTerminated, restarts int32) string {
	var b strings.Builder
	fmt.Fprintf(&b, "ended with exit code %d", ended.ExitCode)
	switch ended.Reason {
	case "", "Error", "Completed":
	case "OOMKilled":
		b.WriteString(", killed because it used more memory than its limit")
	default:
		b.WriteString(" (" + ended.Reason + ")")
	}
	if ended.Signal != 0 {
		fmt.Fprintf(&b, ", signal %d", ended.Signal)
	}
	switch restarts {
	case 0:
	case 1:
		b.WriteString(", started again once")
	default:
		fmt.Fprintf(&b, ", started again %d times", restarts)
	}
	if m := strings.TrimSpace(ended.Message); m != "" {
		b.WriteString(": " + lastWords(m))
	}
	return b.String()
}

// cutMessage is from where on, in bytes, a container's last words may be cut: kubelet keeps the last 2 KiB of a log and 4 KiB of a
// file, and less where a pod has many containers.
const cutMessage = 1000

// lastWords says of a message that it begins in the middle: what is left there of a secret would else not be found.
func lastWords(message string) string {
	if len(message) >= cutMessage {
		return "…" + message
	}
	return message
}

// pullPatienceFor tells an image that is not there, or not for us, from a registry that is out of reach.
func pullPatienceFor(message string) time.Duration {
	m := strings.ToLower(message)
	for _, final := range []string{"not found", "manifest unknown", "name unknown", "unauthorized", "authorization failed", "authentication required", "denied",
		"forbidden", "no basic auth", "invalid reference", "no match for platform", "notfound", "insufficient_scope", "x509", "does not exist"} {
		if strings.Contains(m, final) {
			return 0
		}
	}
	return pullPatience
}

func orReason(message, reason string) string {
	if strings.TrimSpace(message) == "" {
		return reason
	}
	return message
}
