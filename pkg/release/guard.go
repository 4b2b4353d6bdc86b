package release

import (
	"context"
	"strings"

	"github.com/org/promote/pkg/cluster"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// serves says whether this very release already takes all traffic with pods that are ready; then nothing is written.
func (c *Candidate) serves(ctx context.Context) (bool, error) {
	if c.Baseline == nil || c.Baseline.ID != c.Release.ID {
		return false, nil
	}
	live, err := c.live(ctx)
	if err != nil || live.candidate < len(c.Services) {
		return false, err
	}
	for _, name := range c.Baseline.Deployments {
		desired, ready, err := c.deps.Cluster.Replicas(ctx, name)
		if cluster.IsNotFound(err) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		if desired == 0 || ready < desired {
			return false, nil
		}
	}
	gone, err := c.deps.Cluster.Missing(ctx, c.Baseline.Inventory)
	if err != nil {
		return false, err
	}
	for _, ref := range gone {
		c.deps.Log.Infof("%s of release %s is gone; it is made again", ref, c.Baseline.ID)
	}
	return len(gone) == 0, nil
}

// logChanges writes what the dry run found, secrets masked.
func (c *Candidate) logChanges() {
	end := c.deps.Log.Group("Diff of " + c.Release.ID)
	defer end()
	for _, ch := range c.Changes {
		c.deps.Log.Infof("%s %s", ch.Ref, ch.Action)
		if ch.Diff != "" {
			c.deps.Log.Infof("%s", ch.Diff)
		}
	}
}

func digestOf(image string) string {
	_, digest, _ := strings.Cut(image, "@")
	return digest
}

func setSelector(o *unstructured.Unstructured, selector map[string]string) {
	_ = unstructured.SetNestedMap(o.Object, toAny(selector), "spec", "selector")
}
