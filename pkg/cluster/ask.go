package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// annotationAsk holds, on a service's lease, that its holder is asked to undo what it does: a [request] in JSON.
// annotationPromote holds that it is asked to promote. It is one of its own: nobody's wish for the end may take the place of
// somebody's wish for the way back before the holder has heard of that.
const (
	annotationAsk     = "promote.dev/ask"
	annotationPromote = "promote.dev/ask-promote"
)

// request is for one holder; who takes the lock later has not been asked.
type request struct {
	Of  string `json:"of"`
	Why string `json:"why"`
	// Release, Who and URL go with a wish to promote.
	Release string `json:"release,omitempty"`
	Who     string `json:"who,omitempty"`
	URL     string `json:"url,omitempty"`
}

// Wish is a person's wish that a run promote the release that it rolls out.
type Wish struct {
	// Release is the release that the person saw. A holder that rolls out another one is not meant.
	Release string
	// Who is the person, Why their reason, URL the page of the run that they asked with.
	Who, Why, URL string
}

// AskToAbort asks the run that holds a service's lock to undo its work, and says which run that is; "" when nobody holds it. The run
// hears of it with its next renewal.
func (c *Cluster) AskToAbort(ctx context.Context, service, why string) (run string, err error) {
	return c.ask(ctx, service, annotationAsk, request{Why: why})
}

// AskToPromote asks the run that holds a service's lock to promote the release that it rolls out; see [Cluster.AskToAbort].
func (c *Cluster) AskToPromote(ctx context.Context, service string, w Wish) (run string, err error) {
	return c.ask(ctx, service, annotationPromote, request{Release: w.Release, Who: w.Who, Why: w.Why, URL: w.URL})
}

func (c *Cluster) ask(ctx context.Context, service, annotation string, r request) (run string, err error) {
	name := stateName(service)
	leases := c.Client.Leases(c.Namespace)
	for {
		lease, err := leases.Get(ctx, name, metav1.GetOptions{})
		if IsNotFound(err) || err == nil && holderOf(lease) == "" {
			return "", nil
		}
		if err != nil {
			return "", c.failed("reading "+c.subject("Lease", name), err)
		}
		r.Of = holderOf(lease)
		text, err := json.Marshal(r)
		if err != nil {
			return "", fmt.Errorf("asking run %s: %w", display(r.Of), err)
		}
		metav1.SetMetaDataAnnotation(&lease.ObjectMeta, annotation, string(text))
		// It holds for the lease as it was read: a renewal in between wins.
		_, err = leases.Update(ctx, lease, metav1.UpdateOptions{FieldManager: managerOf(service)})
		switch {
		case err == nil:
			return display(r.Of), nil
		case !apierrors.IsConflict(err):
			return "", c.failed("asking run "+display(r.Of)+" on "+c.subject("Lease", name), err)
		}
	}
}

// Asked gives, once, why this run is asked to undo its work.
func (l *Lock) Asked() <-chan string { return l.asked }

// AskedToPromote gives who asks this run to promote a release.
func (l *Lock) AskedToPromote() <-chan Wish { return l.wished }

// longestWish bounds, in bytes, each text of a wish that is heard: it is kept in the state and shown.
const longestWish = 500

// hear looks for requests to this holder on its lease.
func (l *Lock) hear(lease *coordinationv1.Lease) {
	if r, ok := l.fresh(lease, annotationAsk, &l.heard); ok {
		select {
		case l.asked <- r.Why:
		default: // it was asked already
		}
	}
	if r, ok := l.fresh(lease, annotationPromote, &l.heardWish); ok && r.Who != "" {
		select {
		case l.wished <- Wish{Release: r.Release, Who: shortened(r.Who), Why: shortened(r.Why), URL: shortened(r.URL)}:
		default:
		}
	}
}

// fresh reads a request to this holder that was not passed on yet.
func (l *Lock) fresh(lease *coordinationv1.Lease, annotation string, heard *string) (r request, ok bool) {
	text := lease.Annotations[annotation]
	if text == "" || text == *heard || json.Unmarshal([]byte(text), &r) != nil || r.Of != l.identity {
		return r, false
	}
	*heard = text
	return r, true
}

func shortened(text string) string {
	if len(text) > longestWish {
		return strings.ToValidUTF8(text[:longestWish], "") + "…"
	}
	return text
}
