package release

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/org/promote/pkg/change"
	"github.com/org/promote/pkg/cluster"
	"github.com/org/promote/pkg/manifest"
)

const sketched = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "{{ .Image }}", env: [{name: A, value: '{{ param "/web/limit" }}'}]}]}
---
apiVersion: v1
kind: Secret
metadata: {name: web}
stringData: {password: '{{ secret "web/db" "password" }}'}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {type: LoadBalancer, selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: inside}
spec: {selector: {app: web}, ports: [{port: 81}]}
`

func sketchOf(t *testing.T, text string, own Own) (*Sketch, error) {
	t.Helper()
	return SketchOf(Request{
		Service: "web", Environment: "test", Namespace: "test", Image: "registry.example.com/web@sha256:" + strings.Repeat("0", 64), Own: own, MaxDeletions: 1,
		Change: change.Change{Head: strings.Repeat("a", 40)}, Files: []manifest.File{{Name: "web.yaml", Data: []byte(text)}},
	})
}

func TestASketchSaysWhatAReleaseNeedsBeforeAnyValueIsThere(t *testing.T) {
	s, err := sketchOf(t, sketched, OwnBalanced)
	if err != nil {
		t.Fatal(err)
	}
	var refs, kinds []string
	for _, r := range s.Refs {
		refs = append(refs, r.String())
	}
	for _, k := range s.Kinds {
		kinds = append(kinds, k.Kind)
	}
	if diff := cmp.Diff([]string{"param /web/limit", "secret web/db#password"}, refs); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"Secret", "Service", "Deployment"}, kinds); diff != "" {
		t.Error(diff)
	}
	if ways := s.Ways(); len(ways) != 1 || ways[0].Shared != "web" || ways[0].Own.Name != "web-candidate" {
		t.Errorf("the ways are %+v", ways)
	}
	if len(s.Objects().Deployments) != 1 || s.Unknown != nil || s.Routes() {
		t.Errorf("got %+v", s)
	}
}

func TestASketchSaysWhatItCanWithAnError(t *testing.T) {
	s, err := sketchOf(t, strings.Replace(sketched, "{{ .Image }}", "web:latest", 1), OwnTested)
	if err == nil || len(s.Refs) != 2 || len(s.Kinds) != 3 || s.Objects() != nil || s.Ways() != nil {
		t.Errorf("got %+v, %v", s, err)
	}
	s, err = sketchOf(t, "{{ .Nothing }}", OwnTested)
	if names, dropErr := s.Dropped(&cluster.State{}); err == nil || len(s.Kinds) != 0 || names != nil || dropErr != nil {
		t.Errorf("got %+v, %v", s, err)
	}
	s, err = sketchOf(t, strings.Replace(sketched, "ports: [{port: 81}]", "prots: [{port: 81}]", 1), OwnTested)
	if err != nil || s.Unknown == nil || !strings.Contains(s.Unknown.Error(), "prots") {
		t.Errorf("got %v, unknown %v", err, s.Unknown)
	}
}

func TestASketchNamesWhatTheManifestsDropped(t *testing.T) {
	s, err := sketchOf(t, sketched, OwnTested)
	if err != nil {
		t.Fatal(err)
	}
	state := &cluster.State{Shared: []cluster.Member{{ObjectRef: refOf("Thing", "one", "1"), Made: true}}}
	if names, err := s.Dropped(state); err != nil || len(names) != 1 || !strings.Contains(names[0], "Thing/test/one") {
		t.Errorf("got %v, %v", names, err)
	}
	state.Shared = append(state.Shared, cluster.Member{ObjectRef: refOf("Thing", "two", "2"), Made: true})
	var dropped *DroppedError
	if names, err := s.Dropped(state); !errors.As(err, &dropped) || len(names) != 2 {
		t.Errorf("got %v, %v", names, err)
	}
}
