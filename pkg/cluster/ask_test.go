package cluster

import (
	"encoding/json"
	"testing"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestAHolderHearsOnlyWhatItIsAsked(t *testing.T) {
	asking := func(r request) *coordinationv1.Lease {
		text, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		return &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{annotationAsk: string(text)}}}
	}
	l := &Lock{identity: "4711-1#abc", asked: make(chan string, 1)}
	for _, lease := range []*coordinationv1.Lease{
		{}, asking(request{Of: "4710-1#abc", Why: "the run before"}),
		{ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{annotationAsk: "no JSON"}}},
	} {
		l.hear(lease)
	}
	select {
	case why := <-l.Asked():
		t.Fatalf("heard %q, which was for nobody or another", why)
	default:
	}
	for range 3 { // every renewal reads it again
		l.hear(asking(request{Of: "4711-1#abc", Why: "ada says so"}))
	}
	if why := <-l.Asked(); why != "ada says so" {
		t.Errorf("heard %q", why)
	}
	select {
	case why := <-l.Asked():
		t.Errorf("heard %q a second time", why)
	default:
	}
}
