package cluster

import (
	"context"
	"encoding/json"
	"fmt"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// annotationAsk holds, on a service's lease, what its holder is asked to do: a [request] in JSON.
const annotationAsk = "promote.dev/ask"

// request is for one holder; who takes the lock later has not been asked.
type request struct {
	Of  string `json:"of"`
	Why string `json:"why"`
}

// AskToAbort asks the run that holds a service's lock to undo its work, and says which run that is; "" when nobody holds it. The run
// hears of it with its next renewal.
func (c *Cluster) AskToAbort(ctx context.Context, service, why string) (run string, err error) {
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
		text, err := json.Marshal(request{Of: holderOf(lease), Why: why})
		if err != nil {
			return "", fmt.Errorf("asking run %s: %w", display(holderOf(lease)), err)
		}
		metav1.SetMetaDataAnnotation(&lease.ObjectMeta, annotationAsk, string(text))
		// It holds for the lease as it was read: a renewal in between wins.
		_, err = leases.Update(ctx, lease, metav1.UpdateOptions{FieldManager: managerOf(service)})
		switch {
		case err == nil:
			return display(holderOf(lease)), nil
		case !apierrors.IsConflict(err):
			return "", c.failed("asking run "+display(holderOf(lease))+" on "+c.subject("Lease", name), err)
		}
	}
}

// Asked gives, once, why this run is asked to undo its work.
func (l *Lock) Asked() <-chan string { return l.asked }

// hear looks for a request to this holder on its lease.
func (l *Lock) hear(lease *coordinationv1.Lease) {
	text := lease.Annotations[annotationAsk]
	var r request
	if text == "" || text == l.heard || json.Unmarshal([]byte(text), &r) != nil || r.Of != l.identity {
		return
	}
	l.heard = text
	select {
	case l.asked <- r.Why:
	default: // it was asked already
	}
}
