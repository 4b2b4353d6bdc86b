//go:build lab

package e2e

import (
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/org/promote/pkg/evidence"
	"github.com/org/promote/pkg/image"
)

// quick is a service whose pods are ready at once.
var quick = strings.NewReplacer("slow", "quick", "-ready-after=6s", "-version=quick").Replace(slow)

// TestDeployKeepsTheOrderAndTheEvidence deploys commits of a real git repository by hand, one after the other, and back.
func TestDeployKeepsTheOrderAndTheEvidence(t *testing.T) {
	t.Parallel()
	h, p := newHub(t), newPlace(t, "test")
	pushed, err := testImage()
	h.must(err)
	ref, err := name.NewDigest(pushed)
	h.must(err)
	descriptor, err := remote.Get(ref)
	h.must(err)
	var commits []string
	for _, text := range []string{"one\n", "two\n"} {
		head := h.commit("main", map[string]string{"README.md": text, "deploy/quick.yaml": quick})
		h.must(remote.Tag(ref.Context().Tag(head), descriptor))
		commits = append(commits, head)
	}
	deploy := func(commit string, more map[string]string) result {
		h.git(h.clone, "checkout", "--quiet", commit)
		inputs := map[string]string{
			"environment": "test", "namespace": p.namespace, "kubeconfig": p.kubeconfig, "service": "quick", "image": ref.Context().Name(),
			"manifests": "deploy", "drain": "0s", "timeout": "1m",
		}
		for k, v := range more {
			inputs[k] = v
		}
		return h.run("deploy", h.byHand(commit), inputs)
	}

	if res := deploy(commits[1], map[string]string{"require": "build"}); res.code != 1 || !strings.Contains(res.output, `refusing gate "build"`) {
		t.Fatalf("an image without evidence went in: exit code %d\n%s", res.code, res.output)
	}
	if res := deploy(commits[1], nil); res.outputs["result"] != "deployed" {
		t.Fatalf("the newer commit was not deployed:\n%s", res.output)
	}
	records, err := evidence.Read(t.Context(), image.Reference(ref.Context().Name(), descriptor.Digest.String()), nil)
	h.must(err)
	if chain := evidence.Chain(records, descriptor.Digest.String()); chain[2].Gate != evidence.Test || chain[2].Result != evidence.Passed || chain[2].Commit != commits[1] {
		t.Errorf("the evidence of test is %+v", chain[2])
	}
	before := h.snapshot(p.namespace)
	if res := deploy(commits[0], nil); res.code != 1 || !strings.Contains(res.output, "it is older than commit "+commits[1][:7]) || !strings.Contains(res.output, "allow-rollback") {
		t.Errorf("the older commit was not refused: exit code %d\n%s", res.code, res.output)
	}
	if after := h.snapshot(p.namespace); after != before {
		t.Errorf("the cluster changed from\n%s\nto\n%s", before, after)
	}
	if res := deploy(commits[1], nil); res.outputs["result"] != "unchanged" {
		t.Errorf("the same commit is not unchanged:\n%s", res.output)
	}
	if res := deploy(commits[0], map[string]string{"allow-rollback": "true"}); res.outputs["result"] != "deployed" {
		t.Errorf("going back on purpose was refused:\n%s", res.output)
	}
}
