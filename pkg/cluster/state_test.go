package cluster

import (
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTheHistoryIsSentWhenItChanges plays the ConfigMap of a service whose state an earlier promote wrote, with the history among
// the rest.
func TestTheHistoryIsSentWhenItChanges(t *testing.T) {
	before := `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"promote-checkout","uid":"u","resourceVersion":"7"},"data":{"state.json":` +
		`"{\"version\":1,\"service\":\"checkout\",\"environment\":\"test\",\"phase\":\"idle\",\"history\":[{\"id\":\"one\"}]}"}}`
	var sent []map[string]any
	write := func(version string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			data, err := io.ReadAll(r.Body)
			var patch map[string]any
			if err != nil || json.Unmarshal(data, &patch) != nil || r.Method != http.MethodPatch {
				t.Errorf("%s %s: %s, %v", r.Method, r.URL, data, err)
			}
			sent = append(sent, patch)
			body(`{"apiVersion":"meta.k8s.io/v1","kind":"PartialObjectMetadata","metadata":{"name":"promote-checkout","uid":"u","resourceVersion":"`+version+`"}}`)(w, r)
		}
	}
	s, _ := answers(t, body(before), write("8"), write("9"), write("10"))
	c := clusterOn(t, s.URL, Config{})
	state, err := c.LoadState(t.Context(), "checkout")
	if err != nil || len(state.History) != 1 || state.History[0].ID != "one" {
		t.Fatalf("got %+v, %v", state, err)
	}
	for _, phase := range []string{"preparing", "tested"} {
		state.Phase = phase
		if err := c.SaveState(t.Context(), state); err != nil {
			t.Fatal(err)
		}
	}
	state.History = nil
	if err := c.SaveState(t.Context(), state); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, patch := range sent {
		metadata, data := patch["metadata"].(map[string]any), patch["data"].(map[string]any)
		history, there := data[historyKey]
		switch {
		case !there:
			history = "as it was"
		case history == nil:
			history = "gone"
		default:
			history = "sent"
		}
		got = append(got, metadata["resourceVersion"].(string)+" "+history.(string))
	}
	if diff := cmp.Diff([]string{"7 sent", "8 as it was", "9 gone"}, got); diff != "" {
		t.Error(diff)
	}
}
