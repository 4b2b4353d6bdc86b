package cluster

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

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
	l := &Lock{identity: "4711-1#abc", asked: make(chan string, 1), wished: make(chan Wish, 1)}
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

func TestAHolderHearsOfAWishBesideAnAbort(t *testing.T) {
	text := func(r request) string {
		raw, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	l := &Lock{identity: "4711-1#abc", asked: make(chan string, 1), wished: make(chan Wish, 1)}
	lease := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{
		annotationAsk:     text(request{Of: "4711-1#abc", Why: "bob says so"}),
		annotationPromote: text(request{Of: "4711-1#abc", Release: "a-1", Who: "ada", Why: strings.Repeat("ü", longestWish), URL: "https://github.com/x"}),
	}}}
	for range 3 {
		l.hear(lease)
	}
	if why := <-l.Asked(); why != "bob says so" {
		t.Errorf("heard %q", why)
	}
	w := <-l.AskedToPromote()
	if w.Release != "a-1" || w.Who != "ada" || w.URL != "https://github.com/x" || len(w.Why) > longestWish+3 || !utf8.ValidString(w.Why) {
		t.Errorf("heard %+v", w)
	}
	for name, r := range map[string]request{"of another run": {Of: "4710-1#abc", Who: "ada"}, "without a name": {Of: "4711-1#abc", Why: "now"}} {
		lease.Annotations[annotationPromote] = text(r)
		l.hear(lease)
		select {
		case w := <-l.AskedToPromote():
			t.Errorf("a wish %s is heard: %+v", name, w)
		default:
		}
	}
}
