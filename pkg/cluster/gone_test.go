package cluster

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// TestManyOfOneKindTakeOneRequest holds what the lab can't count: a kind of which there are many is listed, Secrets never.
func TestManyOfOneKindTakeOneRequest(t *testing.T) {
	const many = 2 * listedFrom
	var refs []ObjectRef
	var items []string
	for i := range many {
		for _, kind := range []string{"ConfigMap", "Secret"} {
			refs = append(refs, ObjectRef{APIVersion: "v1", Kind: kind, Namespace: "ns", Name: fmt.Sprint("o-", i), UID: "u"})
		}
		items = append(items, fmt.Sprintf(`{"metadata":{"name":"o-%d","uid":"u"}}`, i))
	}
	var lists []string
	server, asked := answers(t, func(w http.ResponseWriter, r *http.Request) {
		text := `{"metadata":{"uid":"u"}}`
		if at := r.URL.Path; strings.HasSuffix(at, "s") {
			lists = append(lists, at)
			text = fmt.Sprintf(`{"items":[%s]}`, strings.Join(items, ","))
		}
		body(text)(w, r)
	})
	gone, err := clusterOn(t, server.URL, Config{}).Missing(t.Context(), refs)
	if err != nil || len(gone) > 0 {
		t.Errorf("got %v, %v", gone, err)
	}
	if len(lists) != 1 || lists[0] != "/api/v1/namespaces/ns/configmaps" || asked.Load() != 1+many {
		t.Errorf("%d requests, lists %v", asked.Load(), lists)
	}
}
