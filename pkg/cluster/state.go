package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// stateVersion is raised when a reader of the version before would misread the state. Up to 1 the history stood with the rest.
const stateVersion = 2

// The state's keys in its ConfigMap. The history is most of it and changes once in a deployment, when the rest is written before
// each of its phases: it has a key of its own, so that it isn't sent each time.
const (
	stateKey   = "state.json"
	historyKey = "history.json"
)

// Release is one image and the objects rendered for it, in one environment.
type Release struct {
	// ID is <first 7 of commit>-<first 6 of hash>.
	ID string `json:"id"`
	// Image is repository@sha256:….
	Image  string `json:"image"`
	Digest string `json:"digest"`
	Commit string `json:"commit"`
	Tree   string `json:"tree"`
	// Merge is the commit that brought Commit to the base branch; empty for a release of an open pull request.
	Merge string `json:"merge,omitempty"`
	// Hash is over what was rendered, with secret version ids in place of values.
	Hash string `json:"hash"`
	// Run is the workflow run and attempt that made the release.
	Run string `json:"run"`
	// Secrets maps each secret's reference to the version id that was used; never a value.
	Secrets map[string]string `json:"secrets,omitempty"`
	// Inventory is what was made for this release alone, in the order it was applied.
	Inventory []ObjectRef `json:"inventory"`
	// Shared names the objects of its manifests that every release applies in place; nil when it was recorded by a version
	// that did not tell.
	Shared []ObjectRef `json:"shared,omitempty"`
	// Deployments are the versioned names.
	Deployments []string `json:"deployments"`
	// Adopted says that promote did not make it: it served before promote came. It has no image, commit or hash.
	Adopted bool `json:"adopted,omitempty"`
	// Services are the shared Services through which the release serves.
	Services []SharedService `json:"services,omitempty"`
	Time     time.Time       `json:"time"`
}

// SharedService is a Service that several releases stand behind, one after another.
type SharedService struct {
	Name string `json:"name"`
	// Selector is the selector that the template asks for, without promote's own keys.
	Selector map[string]string `json:"selector"`
}

// State is what is known of one service in one environment, beside its lock. It is written before the work it stands for,
// so that a later run can finish or undo what a killed one left.
type State struct {
	Service     string `json:"service"`
	Environment string `json:"environment"`
	// Phase is what was about to happen; "" and "idle" mean nothing.
	Phase string `json:"phase"`
	// Reason says why a candidate was discarded.
	Reason string `json:"reason,omitempty"`
	// Replicas is how many pods each of the baseline's Deployments was to have when the rollout began, by name.
	Replicas  map[string]int `json:"replicas,omitempty"`
	Serving   *Release       `json:"serving,omitempty"`
	Candidate *Release       `json:"candidate,omitempty"`
	// Previous is the release that the candidate replaces, until it is removed.
	Previous *Release  `json:"previous,omitempty"`
	History  []Release `json:"history,omitempty"`
	// Shared are the shared objects of all releases since promote began to record them; see [Cluster.Prune].
	Shared []Member `json:"shared,omitempty"`
	// Frozen are the autoscalers that stand still while the rollout counts pods, by name.
	Frozen []string `json:"frozen,omitempty"`
	// Entrance leads clients to the candidate's own Services too; nil when nothing does.
	Entrance *Entrance `json:"entrance,omitempty"`
	// Rollout belongs to pkg/rollout.
	Rollout json.RawMessage `json:"rollout,omitempty"`

	// object is the ConfigMap as it was last read or written; nil when there was none.
	object *corev1.ConfigMap
}

// releases are the ids of the releases that may have objects.
func (s *State) releases() []string {
	var ids []string
	for _, r := range []*Release{s.Serving, s.Candidate, s.Previous} {
		if r != nil {
			ids = append(ids, r.ID)
		}
	}
	return ids
}

// inventory is everything that the state knows to exist, or to have been about to.
func (s *State) inventory() []ObjectRef {
	var refs []ObjectRef
	for _, r := range []*Release{s.Serving, s.Candidate, s.Previous} {
		if r != nil {
			refs = append(refs, r.Inventory...)
		}
	}
	for _, m := range s.Shared {
		refs = append(refs, m.ObjectRef)
	}
	return append(refs, s.Entrance.Objects()...)
}

// stored is the state's form in the ConfigMap.
type stored struct {
	Version int `json:"version"`
	*State
}

func stateName(service string) string { return "promote-" + service }

// LoadState reads the service's state; a service that was never deployed has an empty one.
func (c *Cluster) LoadState(ctx context.Context, service string) (*State, error) {
	subject := c.subject("ConfigMap", stateName(service))
	object, err := c.Client.ConfigMaps(c.Namespace).Get(ctx, stateName(service), metav1.GetOptions{})
	if IsNotFound(err) {
		return &State{Service: service}, nil
	}
	if err != nil {
		return nil, c.failed("reading the state in "+subject, err)
	}
	s := &State{}
	in := stored{State: s}
	err = json.Unmarshal([]byte(object.Data[stateKey]), &in)
	if history := object.Data[historyKey]; err == nil && history != "" {
		err = json.Unmarshal([]byte(history), &s.History)
	}
	if err != nil {
		return nil, fmt.Errorf("parsing the state in %s: %w: restore it, or delete the ConfigMap to begin anew (what serves stays, and is then adopted or refused)", subject, err)
	}
	if in.Version > stateVersion {
		return nil, fmt.Errorf("reading the state in %s: it was written by a newer promote (format %d, this one knows %d): use that version", subject, in.Version, stateVersion)
	}
	if s.Service != service {
		return nil, fmt.Errorf("reading the state in %s: it belongs to the service %q, not %q", subject, s.Service, service)
	}
	s.object = object
	return s, nil
}

// SaveState writes the state, unless another run wrote it since it was read: then it is an error, [ErrLockLost] when that
// run holds the lock now.
func (c *Cluster) SaveState(ctx context.Context, s *State) error {
	subject := c.subject("ConfigMap", stateName(s.Service))
	// It quotes what the cluster said; whoever may read ConfigMaps need not be one who may read Secrets.
	s.Reason = c.redact(s.Reason)
	data, err := s.data()
	if err != nil {
		return fmt.Errorf("encoding the state for %s: %w", subject, err)
	}
	c.lock.Load().doing(s.Phase)
	for range 3 {
		if err := c.guard(ctx); err != nil {
			return err
		}
		err = c.writeState(ctx, s, data)
		if err == nil {
			return nil
		}
		if !apierrors.IsConflict(err) && !apierrors.IsAlreadyExists(err) && !unanswered(ctx, err) {
			break
		}
		again, errRead := c.rebase(ctx, s, data)
		if errRead != nil {
			return fmt.Errorf("writing the state in %s: %w", subject, errRead)
		}
		if !again {
			return nil
		}
	}
	return c.failed("writing the state in "+subject, err)
}

// data is the state as its ConfigMap holds it.
func (s *State) data() (map[string]string, error) {
	rest := *s
	rest.History = nil
	state, err := json.Marshal(stored{stateVersion, &rest})
	if err != nil || len(s.History) == 0 {
		return map[string]string{stateKey: string(state)}, err
	}
	history, err := json.Marshal(s.History)
	return map[string]string{stateKey: string(state), historyKey: string(history)}, err
}

func (c *Cluster) writeState(ctx context.Context, s *State, data map[string]string) error {
	if s.object == nil {
		object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: stateName(s.Service)}, Data: data}
		c.parent(object, s)
		made, err := c.Client.ConfigMaps(c.Namespace).Create(ctx, object, metav1.CreateOptions{FieldManager: c.manager()})
		if err == nil {
			s.object = made
		}
		return err
	}
	object := s.object.DeepCopy()
	object.Data = data
	c.parent(object, s)
	patch, err := statePatch(s.object, object)
	if err != nil {
		return err
	}
	at := known[corev1.SchemeGroupVersion.WithKind("ConfigMap")].path(c.Namespace, object.Name)
	answered, err := answer(c.raw.Patch(types.MergePatchType).AbsPath(at...).Param("fieldManager", c.manager()).SetHeader("Accept", asMetadata).Body(patch).Do(ctx))
	if err != nil {
		return err
	}
	var written metav1.PartialObjectMetadata
	if err := json.Unmarshal(answered, &written); err != nil {
		return err
	}
	object.ObjectMeta, s.object = written.ObjectMeta, object
	return nil
}

// statePatch is what changes, and holds for the very object that was read.
func statePatch(was, is *corev1.ConfigMap) ([]byte, error) {
	data := map[string]any{}
	for key := range was.Data {
		if _, stays := is.Data[key]; !stays {
			data[key] = nil
		}
	}
	for key, value := range is.Data {
		if old, had := was.Data[key]; !had || old != value {
			data[key] = value
		}
	}
	return json.Marshal(map[string]any{
		"metadata": map[string]any{"uid": is.UID, "resourceVersion": is.ResourceVersion, "labels": is.Labels, "annotations": is.Annotations},
		"data":     data,
	})
}

// rebase looks at what is stored after a write was refused. It asks for another try when only metadata changed, for none
// when the write had arrived and only its answer was lost, and fails when another run wrote.
func (c *Cluster) rebase(ctx context.Context, s *State, data map[string]string) (again bool, err error) {
	now, err := c.Client.ConfigMaps(c.Namespace).Get(ctx, stateName(s.Service), metav1.GetOptions{})
	if IsNotFound(err) && s.object == nil {
		return true, nil
	}
	if IsNotFound(err) {
		return false, errors.New("it was deleted while this run held the lock")
	}
	if err != nil {
		return false, err
	}
	if err := c.fenced(now); err != nil {
		return false, err
	}
	switch {
	case maps.Equal(now.Data, data):
		s.object = now
		return false, nil
	case s.object != nil && maps.Equal(now.Data, s.object.Data):
		s.object = now
		return true, nil
	}
	return false, errors.New("another run wrote it: two runs worked on one service without the lock")
}
