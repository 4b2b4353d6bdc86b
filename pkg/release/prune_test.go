package release

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/org/promote/pkg/change"
	"github.com/org/promote/pkg/cluster"
	"github.com/org/promote/pkg/manifest"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

// quiet is a log that nobody reads.
type quiet struct{}

func (quiet) Infof(string, ...any)    {}
func (quiet) Warningf(string, ...any) {}
func (quiet) Group(string) func()     { return func() {} }
func (quiet) Child() io.WriteCloser   { return nil }

func sharedObject(kind, name string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{"apiVersion": "example.com/v1", "kind": kind, "metadata": map[string]any{"name": name, "namespace": "test"}}}
}

func refOf(kind, name string, uid types.UID) cluster.ObjectRef {
	return cluster.ObjectRef{APIVersion: "example.com/v1", Kind: kind, Namespace: "test", Name: name, UID: uid}
}

func holding(state *cluster.State, most int, names ...string) *Candidate {
	objects := &manifest.Objects{}
	for _, name := range names {
		objects.Shared = append(objects.Shared, sharedObject("Thing", name))
	}
	return &Candidate{deps: Deps{Log: quiet{}}, req: Request{Namespace: "test", MaxDeletions: most}, out: &rendered{objects: objects}, State: state}
}

func TestSharedObjectsAreRemembered(t *testing.T) {
	state := &cluster.State{Shared: []cluster.Member{
		{ObjectRef: refOf("Thing", "old", "1"), Made: true},
		{ObjectRef: refOf("Thing", "half-made", ""), Made: true},
	}}
	c := holding(state, 5, "old", "half-made", "new", "theirs")
	c.Changes = []cluster.Change{
		{Ref: refOf("Thing", "old", "1"), Action: cluster.Unchanged}, {Ref: refOf("Thing", "half-made", "9"), Action: cluster.Configured},
		{Ref: refOf("Thing", "new", ""), Action: cluster.Created}, {Ref: refOf("Thing", "theirs", "7"), Action: cluster.Configured},
	}
	c.intendShared()
	c.recordShared([]cluster.Applied{
		{Ref: refOf("Thing", "old", "1"), Action: cluster.Unchanged}, {Ref: refOf("Thing", "half-made", "9"), Action: cluster.Configured},
		{Ref: refOf("Thing", "new", "3"), Action: cluster.Created}, {Ref: refOf("Thing", "theirs", "7"), Action: cluster.Configured},
	})
	want := []cluster.Member{
		{ObjectRef: refOf("Thing", "old", "1"), Made: true}, {ObjectRef: refOf("Thing", "half-made", "9")},
		{ObjectRef: refOf("Thing", "new", "3"), Made: true}, {ObjectRef: refOf("Thing", "theirs", "7")},
	}
	if diff := cmp.Diff(want, state.Shared); diff != "" {
		t.Error(diff)
	}
	if len(c.Release.Shared) != 4 {
		t.Errorf("the release holds %v", c.Release.Shared)
	}
}

func TestManifestsThatLackTooMuchAreRefused(t *testing.T) {
	state := &cluster.State{}
	for i := range 4 {
		state.Shared = append(state.Shared, cluster.Member{ObjectRef: refOf("Thing", fmt.Sprint("t", i), types.UID(fmt.Sprint(i))), Made: i != 3})
	}
	var dropped *DroppedError
	err := holding(state, 1, "t0").refuseDropped()
	if !errors.As(err, &dropped) || len(dropped.Objects) != 2 || !strings.Contains(err.Error(), "Thing/test/t1, Thing/test/t2") || !strings.Contains(err.Error(), "`max-deletions` to 2") {
		t.Errorf("got %v", err)
	}
	if err := holding(state, 2, "t0").refuseDropped(); err != nil {
		t.Errorf("two of two: %v", err)
	}
}

func TestARunThatGaveWayEndsWell(t *testing.T) {
	err := superseded(fmt.Errorf("locking: %w", &cluster.SupersededError{Subject: "Lease/test/promote-checkout", By: "9-1", URL: "https://github.example.com/9"}))
	var neutral *change.Neutral
	if !errors.As(err, &neutral) || neutral.Name != Superseded || !strings.Contains(neutral.Reason, "run 9-1 (https://github.example.com/9) is newer") {
		t.Errorf("got %v", err)
	}
	if err := superseded(&cluster.LockedError{Holder: "x"}); errors.As(err, &neutral) {
		t.Errorf("a run that could not wait any longer ends well: %v", err)
	}
}

func TestOnlyRunsOfOneLineSupersedeEachOther(t *testing.T) {
	lines := map[string]string{}
	for name, ch := range map[string]change.Change{
		"a pull request": {PullRequest: 7}, "another": {PullRequest: 8}, "merged": {PullRequest: 7, Merge: "abc"}, "merged after it": {PullRequest: 8, Merge: "def"},
	} {
		lines[name] = Request{Change: ch}.line()
	}
	if lines["a pull request"] == lines["another"] || lines["a pull request"] == lines["merged"] || lines["merged"] != lines["merged after it"] {
		t.Errorf("got %v", lines)
	}
	if (Request{Concurrency: Reject, Timeout: 1}).wait() != 0 || (Request{Timeout: 1}).wait() != 1 {
		t.Error("reject waits, or a queue does not")
	}
}
