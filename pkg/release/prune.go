package release

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/org/promote/pkg/cluster"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// MaxDeletions is how many shared objects a run may prune unless it is told otherwise. Who takes a feature out of the manifests
// drops its Ingress, its Service and an account or two; what drops more has more often lost a file or a condition.
const MaxDeletions = 5

// sharedObjects are the objects that every release of the service applies in place.
func (c *Candidate) sharedObjects() []*unstructured.Unstructured {
	return append(append([]*unstructured.Unstructured{}, c.out.objects.Shared...), c.out.objects.Services...)
}

// held names the shared objects that stay while this release serves: those of the manifests, and the Services through which it
// serves although the manifests dropped them.
func (c *Candidate) held() []cluster.ObjectRef {
	refs := intended(c.sharedObjects())
	for _, s := range c.Services {
		refs = append(refs, cluster.ObjectRef{APIVersion: "v1", Kind: "Service", Namespace: c.req.Namespace, Name: s.Name})
	}
	return refs
}

// intendShared writes down which shared objects the release's manifests hold, and which of them the dry run found missing: those
// are promote's own, and may be pruned some day.
func (c *Candidate) intendShared() {
	c.Release.Shared = c.held()
	made := map[string]bool{}
	for _, ch := range c.Changes {
		made[ch.Ref.String()] = ch.Action == cluster.Created
	}
	for _, ref := range intended(c.sharedObjects()) {
		at := c.memberAt(ref)
		switch {
		case at < 0:
			c.State.Shared = append(c.State.Shared, cluster.Member{ObjectRef: ref, Made: made[ref.String()]})
		case made[ref.String()]:
			// It is made anew, whatever was there before.
			c.State.Shared[at] = cluster.Member{ObjectRef: ref, Made: true}
		case c.State.Shared[at].UID == "":
			// It was to be made, and is there; who made it is not known.
			c.State.Shared[at].Made = false
		}
	}
}

// recordShared fills in the UIDs of shared objects. One that another has made meanwhile is not promote's to prune.
func (c *Candidate) recordShared(applied []cluster.Applied) {
	for _, a := range applied {
		at := c.memberAt(a.Ref)
		if at < 0 {
			continue
		}
		m := &c.State.Shared[at]
		if m.UID != a.Ref.UID {
			// What turns out to belong to the whole cluster is never pruned.
			m.Made = a.Action == cluster.Created && a.Ref.Namespace != ""
		}
		m.ObjectRef = a.Ref
	}
}

func (c *Candidate) memberAt(ref cluster.ObjectRef) int {
	return slices.IndexFunc(c.State.Shared, func(m cluster.Member) bool {
		return m.Kind == ref.Kind && m.Name == ref.Name && group(m.APIVersion) == group(ref.APIVersion)
	})
}

// group is an apiVersion without its version: an object stays the same one when its API grows a version.
func group(apiVersion string) string {
	g, _, found := strings.Cut(apiVersion, "/")
	if !found {
		return ""
	}
	return g
}

// DroppedError says that the manifests lack more shared objects than a run may delete.
type DroppedError struct {
	Objects []string
	Most    int
}

func (e *DroppedError) Error() string {
	return fmt.Sprintf("comparing the manifests with what promote made before: they no longer hold %d shared objects, and this run may delete %d: %s; nothing was changed; "+
		"put back what is missing, or set the input `max-deletions` to %d if they are to go", len(e.Objects), e.Most, strings.Join(e.Objects, ", "), len(e.Objects))
}

// refuseDropped stops, before anything is written, a release whose manifests lack too much: whatever made them incomplete would
// take more than the deletions along.
func (c *Candidate) refuseDropped() error {
	names, err := c.dropped()
	if err == nil && len(names) > 0 {
		c.deps.Log.Infof("no longer in the manifests, and pruned when the release serves: %s", strings.Join(names, ", "))
	}
	return err
}

// dropped names what the manifests no longer hold; a [DroppedError] says that it is too much.
func (c *Candidate) dropped() ([]string, error) {
	var names []string
	for _, m := range c.State.Dropped(c.held()) {
		names = append(names, m.String())
	}
	if len(names) > c.req.MaxDeletions {
		return names, &DroppedError{Objects: names, Most: c.req.MaxDeletions}
	}
	return names, nil
}

// prune removes, last of all, the shared objects that the release which serves does not hold. What can't be pruned now the next
// run looks at again; that it could not is no reason to call a release that serves a failure.
func (c *Candidate) prune(ctx context.Context) error {
	if c.Release.Shared == nil {
		return nil
	}
	dropped := c.State.Dropped(c.Release.Shared)
	if len(dropped) > c.req.MaxDeletions {
		c.deps.Log.Warningf("%v", &DroppedError{Objects: []string{fmt.Sprintf("%d of an earlier run", len(dropped))}, Most: c.req.MaxDeletions})
		return nil
	}
	var gone []string
	if c.Baseline != nil && c.Baseline.ID != c.Release.ID {
		gone = append(gone, c.Baseline.ID)
	}
	var results []cluster.Pruned
	if len(dropped) > 0 {
		var err error
		if results, err = c.deps.Cluster.Prune(ctx, c.req.Service, dropped, gone); err != nil {
			return err
		}
	}
	kept := map[string]bool{}
	for _, r := range results {
		if kept[r.Ref.String()] = r.Kept != ""; r.Kept != "" {
			c.deps.Log.Warningf("%s", r)
		} else {
			c.deps.Log.Infof("%s", r)
		}
	}
	c.State.Shared = slices.DeleteFunc(c.State.Shared, func(m cluster.Member) bool {
		held := slices.ContainsFunc(c.Release.Shared, func(ref cluster.ObjectRef) bool {
			return ref.Kind == m.Kind && ref.Name == m.Name && group(ref.APIVersion) == group(m.APIVersion)
		})
		return !held && !kept[m.String()]
	})
	return nil
}
