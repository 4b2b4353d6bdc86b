package cluster

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"
)

// namedWithin is how long after Kubernetes knows of a failure it must have been named.
const namedWithin = 15 * time.Second

// recordedCase is what lab/record made happen, and what is to be concluded from it; see lab/failing.
type recordedCase struct {
	About, Subject, Shows string
	Later                 metav1.Duration
	Want                  struct {
		Outcome, Reason string
		// Late is "waits" when a wait that begins after the fact cannot tell it from an earlier one's failure.
		Late string
		Says []string
	}
	changes []recordedChange
}

type recordedChange struct {
	At     metav1.Duration
	Type   string
	Object unstructured.Unstructured
}

// recorded are the cases that the issue asks for and those that were met on the way. A folder without a line here is an error, and
// so is the reverse.
var recordedCases = []string{
	"account-missing", "admission-refused", "config-key-missing", "crash-after-ready", "crash-loop", "daemonset-crash", "evicted",
	"image-missing", "image-slow", "image-unauthorised", "init-fails", "job-failed", "job-image-missing", "limit-range", "liveness-fails",
	"never-ready", "node-lost", "out-of-memory", "preempted", "program-missing", "quota", "quota-freed", "sandbox", "secret-late", "secret-missing",
	"secret-volume-missing", "statefulset-crash", "statefulset-quota", "unschedulable",
}

func readRecorded(t *testing.T, name string) recordedCase {
	t.Helper()
	var c recordedCase
	for file, into := range map[string]any{"case.yaml": &c, "changes.yaml": &c.changes} {
		data, err := os.ReadFile(filepath.Join("testdata", "recorded", name, file))
		if err != nil {
			t.Fatal(err)
		}
		if err := yaml.Unmarshal(data, into); err != nil {
			t.Fatalf("%s/%s: %v", name, file, err)
		}
	}
	// The clock begins with the subject; what was there before is there at 0.
	for _, change := range c.changes {
		if change.Object.GetKind()+"/"+change.Object.GetName() == c.Subject {
			for i := range c.changes {
				c.changes[i].At.Duration = max(0, c.changes[i].At.Duration-change.At.Duration)
			}
			return c
		}
	}
	t.Fatalf("%s: %s is not in the recording", name, c.Subject)
	return c
}

// replay is a watcher that is given recorded changes on a clock of its own.
type replay struct {
	*watcher
	begun  time.Time
	events map[types.UID]runtime.Object
	// lateAt is when what lacked is there.
	lateAt time.Duration
	lines  []string
	// all are the troubles that were seen, in their first words.
	all map[string]trouble
}

func newReplay(t *testing.T, c recordedCase) *replay {
	t.Helper()
	r := &replay{
		events: map[types.UID]runtime.Object{}, lateAt: never, all: map[string]trouble{},
		watcher: &watcher{seen: map[string]firstSeen{}, pods: map[types.UID]runtime.Object{}, sets: map[types.UID]runtime.Object{}},
	}
	if c.Later.Duration > 0 {
		r.lateAt = c.Later.Duration
	}
	for _, change := range c.changes {
		o := change.Object.DeepCopy()
		if o.GetKind()+"/"+o.GetName() == c.Subject {
			r.ref = RefOf(o)
			r.begun = o.GetCreationTimestamp().Time
			r.started = r.begun
			return r
		}
	}
	t.Fatalf("%s is not in the recording", c.Subject)
	return nil
}

// take brings one change to the watcher, as a watch does.
func (r *replay) take(t *testing.T, change recordedChange) {
	t.Helper()
	o := change.Object.DeepCopy()
	if o.GetUID() == r.ref.UID {
		r.object, r.listed = o, true
		return
	}
	into, typed := r.pods, runtime.Object(&corev1.Pod{})
	switch o.GetKind() {
	case "Pod":
	case "ReplicaSet":
		into, typed = r.sets, &appsv1.ReplicaSet{}
	case "Event":
		into, typed = r.events, &corev1.Event{}
	default:
		return
	}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, typed); err != nil {
		t.Fatal(err)
	}
	if event, ok := typed.(*corev1.Event); ok && event.Type != corev1.EventTypeWarning {
		// Only warnings are followed.
		return
	}
	if change.Type == "DELETED" {
		delete(into, o.GetUID())
		return
	}
	into[o.GetUID()] = typed
}

// at looks at what was taken so far.
func (r *replay) at(after time.Duration) verdict {
	now := r.begun.Add(after)
	if r.needsEvents(now) {
		r.watcher.events = r.events
	}
	v := r.step(now, func(l lack) bool {
		if l == quotaFull {
			for _, o := range r.pods {
				if o.(*corev1.Pod).DeletionTimestamp != nil {
					return true
				}
			}
			return false
		}
		return after >= r.lateAt
	})
	r.lines = append(r.lines, v.line)
	for key, first := range r.seen {
		r.all[key] = first.trouble
	}
	return v
}

// through looks after each change and every second between them, and a minute beyond the last; it gives the verdict that ends
// the wait, and when.
func (r *replay) through(t *testing.T, changes []recordedChange) (verdict, time.Duration) {
	t.Helper()
	tick := lookAgain
	for _, change := range changes {
		for ; tick < change.At.Duration; tick += lookAgain {
			if v := r.at(tick); v.failed != nil || v.done {
				return v, tick
			}
		}
		r.take(t, change)
		if r.object == nil {
			continue
		}
		if v := r.at(change.At.Duration); v.failed != nil || v.done {
			return v, change.At.Duration
		}
	}
	last := verdict{}
	for end := tick + time.Minute; tick < end; tick += lookAgain {
		if last = r.at(tick); last.failed != nil || last.done {
			break
		}
	}
	return last, tick
}

// known is when the first object was told from which the trouble can be known.
func (c recordedCase) known(t *testing.T) time.Duration {
	t.Helper()
	for _, change := range c.changes {
		data, err := json.Marshal(change.Object.Object)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(data), c.Shows) {
			return change.At.Duration
		}
	}
	t.Fatalf("%q shows nowhere", c.Shows)
	return 0
}

func TestRecordedCases(t *testing.T) {
	entries, err := os.ReadDir(filepath.Join("testdata", "recorded"))
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != len(recordedCases) {
		t.Errorf("%d cases are recorded, %d are judged", len(entries), len(recordedCases))
	}
	for _, name := range recordedCases {
		c := readRecorded(t, name)
		t.Run(c.About+" "+c.Want.Outcome, func(t *testing.T) {
			r := newReplay(t, c)
			v, at := r.through(t, c.changes)
			switch c.Want.Outcome {
			case "fails":
				wantFailed(t, c, v)
				if known := c.known(t); at < known || at > known+namedWithin {
					t.Errorf("named at %s; Kubernetes knew at %s", at, known)
				}
				t.Logf("known at %s, named at %s: %v", c.known(t), at, v.failed)
			case "waits":
				if v.failed != nil || v.done {
					t.Fatalf("at %s: done %v, %v", at, v.done, v.failed)
				}
				for _, words := range c.Want.Says {
					if !strings.Contains(strings.Join(r.lines, "\n"), words) {
						t.Errorf("no line says %q; the last is %s", words, r.lines[len(r.lines)-1])
					}
				}
			case "ready":
				if v.failed != nil || !v.done {
					t.Errorf("at %s: not ready: %v\n%s", at, v.failed, r.lines[len(r.lines)-1])
				}
			default:
				t.Fatalf("unknown outcome %q", c.Want.Outcome)
			}
		})
	}
}

// TestRecordedCasesJudgedLate begins when everything has happened: a run that was killed and takes up its wait again sees only
// what is there now, such as "Back-off", and must name the same cause.
func TestRecordedCasesJudgedLate(t *testing.T) {
	for _, name := range recordedCases {
		c := readRecorded(t, name)
		if c.Want.Outcome != "fails" {
			continue
		}
		t.Run(c.About, func(t *testing.T) {
			r := newReplay(t, c)
			for _, change := range c.changes {
				r.take(t, change)
			}
			r.begun = r.begun.Add(c.changes[len(c.changes)-1].At.Duration)
			r.started = r.begun
			for after := time.Duration(0); after <= namedWithin; after += lookAgain {
				if v := r.at(after); v.failed != nil || v.done {
					wantFailed(t, c, v)
					if c.Want.Late != "" {
						t.Errorf("named late, want that it %s", c.Want.Late)
					}
					return
				}
			}
			if c.Want.Late == "waits" {
				return
			}
			t.Errorf("not named within %s: %s", namedWithin, r.lines[len(r.lines)-1])
		})
	}
}

func wantFailed(t *testing.T, c recordedCase, v verdict) {
	t.Helper()
	if v.failed == nil {
		t.Fatalf("done %v: %s", v.done, v.line)
	}
	if v.failed.Reason != c.Want.Reason {
		t.Errorf("got the reason %s, want %s: %v", v.failed.Reason, c.Want.Reason, v.failed)
	}
	for _, words := range c.Want.Says {
		if !strings.Contains(v.failed.Error(), words) {
			t.Errorf("%q is not said by: %v", words, v.failed)
		}
	}
}

// TestTroubleshootingGuide compares the words of the guide with those that the recorded cases give, both ways.
func TestTroubleshootingGuide(t *testing.T) {
	guide, err := os.ReadFile(filepath.Join("..", "..", "docs", "troubleshooting.md"))
	if err != nil {
		t.Fatal(err)
	}
	told := map[string][]string{}
	for _, name := range recordedCases {
		c := readRecorded(t, name)
		r := newReplay(t, c)
		v, _ := r.through(t, c.changes)
		if v.failed != nil {
			told[name] = []string{"`" + v.failed.Reason + "`" + v.failed.Message}
			continue
		}
		if c.Want.Outcome == "waits" {
			for _, first := range r.all {
				told[name] = append(told[name], "`"+first.reason+"`"+first.String())
			}
		}
	}
	matched := map[string]bool{}
	for _, row := range regexp.MustCompile("(?m)^\\| (`[A-Za-z]+`) \\| `([^`]+)` \\|").FindAllStringSubmatch(string(guide), -1) {
		words := regexp.MustCompile("^" + row[1] + ".*" + strings.ReplaceAll(regexp.QuoteMeta(row[2]), "…", ".*"))
		found := false
		for name, texts := range told {
			if slices.ContainsFunc(texts, words.MatchString) {
				matched[name], found = true, true
			}
		}
		if !found {
			t.Errorf("no recorded case says %s: %s", row[1], row[2])
		}
	}
	for name := range told {
		if !matched[name] {
			t.Errorf("the guide has no words for %s: %s", name, told[name])
		}
	}
	for _, reason := range []string{ReasonImagePull, ReasonBadConfig, ReasonCrashLoop, ReasonOutOfMemory, ReasonCannotStart, ReasonRefused,
		ReasonUnschedulable, ReasonJobFailed, ReasonFailed, ReasonNotReady, ReasonGone} {
		if !strings.Contains(string(guide), "`"+reason+"`") {
			t.Errorf("the guide does not mention %s", reason)
		}
	}
}
