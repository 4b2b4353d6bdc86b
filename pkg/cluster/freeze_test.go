package cluster

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func autoscalerOf(t *testing.T, spec string) *unstructured.Unstructured {
	t.Helper()
	o := &unstructured.Unstructured{}
	if err := o.UnmarshalJSON([]byte(`{"apiVersion":"autoscaling/v2","kind":"HorizontalPodAutoscaler","metadata":{"name":"web","namespace":"ns","resourceVersion":"7","annotations":{"a":"b"}},"spec":` + spec + `}`)); err != nil {
		t.Fatal(err)
	}
	return o
}

// TestThawGivesBackWhatFreezeTook plays both on a double that applies JSON patches of these three operations.
func TestThawGivesBackWhatFreezeTook(t *testing.T) {
	for name, spec := range map[string]string{
		"with all":         `{"minReplicas":2,"maxReplicas":9,"behavior":{"scaleUp":{"selectPolicy":"Max"},"scaleDown":{"stabilizationWindowSeconds":77}},"metrics":[]}`,
		"with the least":   `{"maxReplicas":3}`,
		"with few at most": `{"minReplicas":1,"maxReplicas":2,"behavior":{}}`,
	} {
		t.Run(name, func(t *testing.T) {
			live := autoscalerOf(t, spec)
			patches := 0
			server, _ := answers(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/apis/autoscaling/v2" {
					body(`{"resources":[{"name":"horizontalpodautoscalers","kind":"HorizontalPodAutoscaler","namespaced":true}]}`)(w, r)
					return
				}
				if r.Method == http.MethodPatch {
					patches++
					var operations []struct {
						Op, Path string
						Value    any
					}
					if err := json.NewDecoder(r.Body).Decode(&operations); err != nil || operations[0].Value != "7" {
						t.Errorf("the patch is %v, %v", operations, err)
					}
					for _, o := range operations[1:] {
						at := strings.Split(strings.TrimPrefix(o.Path, "/"), "/")
						if o.Op == "remove" {
							unstructured.RemoveNestedField(live.Object, at...)
						} else if err := unstructured.SetNestedField(live.Object, o.Value, at...); err != nil {
							t.Error(err)
						}
					}
				}
				text, err := json.Marshal(live.Object)
				if err != nil {
					t.Error(err)
				}
				body(string(text))(w, r)
			})
			c, before := clusterOn(t, server.URL, Config{}), live.DeepCopy()
			for range 2 { // the second time it stands still already
				if err := c.Freeze(t.Context(), "web", 5); err != nil {
					t.Fatal(err)
				}
			}
			least, _, _ := unstructured.NestedFieldNoCopy(live.Object, "spec", "minReplicas")
			most, _, _ := unstructured.NestedFieldNoCopy(live.Object, "spec", "maxReplicas")
			up, _, _ := unstructured.NestedString(live.Object, "spec", "behavior", "scaleUp", "selectPolicy")
			down, _, _ := unstructured.NestedString(live.Object, "spec", "behavior", "scaleDown", "selectPolicy")
			if least != float64(1) || most.(float64) < 5 || up != "Disabled" || down != "Disabled" || patches != 1 {
				t.Errorf("after %d patches it stands at %v", patches, live.Object["spec"])
			}
			for range 2 {
				if err := c.Thaw(t.Context(), "web"); err != nil {
					t.Fatal(err)
				}
			}
			want, err := json.Marshal(before.Object)
			if err != nil {
				t.Fatal(err)
			}
			got, err := json.Marshal(live.Object)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" || patches != 2 {
				t.Errorf("after %d patches (-was +is):\n%s", patches, diff)
			}
		})
	}
}
