package job

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/org/promote/pkg/change"
	"github.com/org/promote/pkg/cluster"
	"github.com/org/promote/pkg/preflight"
	"github.com/org/promote/pkg/release"
)

// lookOutage is how long a preflight rides out an API server that can't be reached: a lost connection, but no restart.
const lookOutage = 5 * time.Second

// lookAtCluster says whether the cluster is there, which of the rights are lacking, and what stands in the way of a release.
func (p *Preflight) lookAtCluster(ctx context.Context) []preflight.Finding {
	cl, err := p.cluster()
	if err != nil {
		return []preflight.Finding{{Subject: "connection", State: preflight.Wrong, Told: err.Error(), Fix: "mend the inputs `cluster`, `kubeconfig` and `aws-region`, or the runner's KUBECONFIG"}}
	}
	version, err := cl.Version(ctx)
	var unreachable *cluster.UnreachableError
	switch {
	case errors.As(err, &unreachable):
		return []preflight.Finding{{Subject: "connection", State: preflight.Wrong, Told: err.Error(), Fix: "see whether this runner reaches that address, and whether it is the cluster's"}}
	case err != nil:
		return wrongs("connection", err)
	}
	found := []preflight.Finding{{Subject: "connection", State: preflight.Good, Told: "Kubernetes " + version}}
	if p.about.Preview != nil {
		more, there := p.lookAtPreview(ctx, cl)
		if found = append(found, more...); !there {
			return found
		}
	}
	subject := "Namespace/" + cl.Namespace
	if err := cl.CheckEnvironment(ctx, p.in.Environment); err != nil {
		// On the wrong cluster every right would be missing too; one cause is enough.
		return append(found, preflight.Finding{Subject: subject, State: preflight.Wrong, Told: err.Error()})
	}
	p.placed.Store(true)
	found = append(found, preflight.Finding{Subject: subject, State: preflight.Good, Told: fmt.Sprintf("it is the environment %q", p.in.Environment)})
	rights, lacking := p.lookAtRights(ctx, cl)
	return slices.Concat(found, rights, p.lookAtState(ctx, cl, lacking))
}

// lookAtPreview says whether the preview could be made; there is true when its namespace is.
func (p *Preflight) lookAtPreview(ctx context.Context, cl *cluster.Cluster) (found []preflight.Finding, there bool) {
	id := *p.about.Preview
	subject := "Namespace/" + id.Namespace()
	if err := cl.CheckPreview(ctx, id); err != nil {
		found = append(found, preflight.Finding{Subject: subject + ": rights", State: preflight.Wrong, Told: err.Error(), Fix: "have an administrator apply docs/role-preview.yaml and bind its ClusterRoles to the runner's account"})
	}
	ns, err := cl.Preview(ctx, id)
	switch {
	case err != nil:
		found = append(found, preflight.Finding{Subject: subject, State: preflight.Wrong, Told: err.Error()})
	case ns == nil || ns.Leaving:
		found = append(found, preflight.Finding{Subject: subject, State: preflight.Noted, Told: "a run makes it; what the API server says of the manifests there can be asked only then"})
	default:
		return found, true
	}
	return found, false
}

// lookAtRights gives a finding for each resource of which a right is lacking, with the rule to add, and how many these are.
func (p *Preflight) lookAtRights(ctx context.Context, cl *cluster.Cluster) (found []preflight.Finding, lacking int) {
	rights, err := cl.Rights(ctx, p.about.More, p.sketch.Kinds, p.sketch.Whole...)
	for _, r := range rights {
		if len(r.Lacking) > 0 {
			lacking++
			found = append(found, Lacks(ctx, cl, r))
		}
	}
	if len(rights) > 0 && lacking == 0 {
		found = append(found, preflight.Finding{Subject: "rights", State: preflight.Good, Told: fmt.Sprintf("%s may do all that this run takes, on %s", cl.Account(), counted(len(rights), "resource", "resources"))})
	}
	found = append(found, wrongs("rights", err)...)
	if len(p.sketch.Kinds) == 0 && p.sketchErr != nil {
		found = append(found, undrawn("rights on what the manifests hold"))
	}
	return found, lacking
}

// Lacks is the finding of a right that is lacking.
func Lacks(ctx context.Context, cl *cluster.Cluster, r cluster.Right) preflight.Finding {
	f := preflight.Finding{
		Subject: fmt.Sprintf("%s: %s", r, strings.Join(r.Lacking, ", ")), State: preflight.Wrong, Told: cl.Account() + " may not",
		Fix: fmt.Sprintf("add to the rules of the Role in Namespace/%s that it is bound to (docs/role.yaml):\n- %s", cl.Namespace, r.Rule()),
	}
	if r.Wide {
		f.Told += ", in the whole cluster"
		f.Fix = "let an administrator apply them and take them out of the manifests, or add to a ClusterRole that it is bound to:\n- " + r.Rule()
	}
	if advice := cl.Advice(ctx); advice != "" {
		f.Told += "; " + advice
	}
	return f
}

// lookAtState says what a run would meet: a lock that is held, what an earlier run left, what serves. What can't be read is a matter of
// the rights that are lacking, if some are.
func (p *Preflight) lookAtState(ctx context.Context, cl *cluster.Cluster, lacking int) []preflight.Finding {
	unread := preflight.Wrong
	if lacking > 0 {
		unread = preflight.Unknown
	}
	held, holder, err := cl.ObserveLock(p.in.Service).Look(ctx)
	found := []preflight.Finding{{Subject: "lock", State: preflight.Good, Told: "nobody holds it"}}
	switch {
	case err != nil:
		found[0].State, found[0].Told = unread, err.Error()
	case held != cluster.LockFree:
		found[0].State, found[0].Told = preflight.Noted, fmt.Sprintf("run %s holds it, or died while it did; a run now %s", holder, p.waits())
	}
	state, err := p.state()
	if err != nil {
		return append(found, preflight.Finding{Subject: "state", State: unread, Told: err.Error()})
	}
	found = append(found, leftovers(state, p.about.Closes, held != cluster.LockFree)...)
	if dropped, err := p.sketch.Dropped(state); err != nil {
		found = append(found, preflight.Finding{Subject: "manifests", State: preflight.Wrong, Told: err.Error()})
	} else if len(dropped) > 0 {
		found = append(found, preflight.Finding{Subject: "manifests", State: preflight.Noted, Told: "no longer in them, and pruned when the release serves: " + strings.Join(dropped, ", ")})
	}
	return append(found, p.lookAtOrder(ctx, state)...)
}

// waits is what a run does while another one holds the lock.
func (p *Preflight) waits() string {
	if p.in.Concurrency == release.Reject {
		return "would be refused (input `concurrency`)"
	}
	return fmt.Sprintf("waits for it, up to %s (input `timeout`)", p.in.Timeout)
}

// leftovers say what is recorded of the service. busy says that somebody holds the lock, whose work it may be.
func leftovers(state *cluster.State, closes, busy bool) []preflight.Finding {
	serving := preflight.Finding{Subject: "serving", State: preflight.Noted, Told: "nothing yet; the first release takes all traffic at once"}
	if s := state.Serving; s != nil {
		serving = preflight.Finding{Subject: "serving", State: preflight.Good, Told: s.ID}
	}
	found := []preflight.Finding{serving}
	if c := state.Candidate; c != nil {
		told := fmt.Sprintf("run %s has release %s in phase %q", c.Run, c.ID, state.Phase)
		if !busy {
			told += "; a run now finishes or undoes that first"
		}
		found = append(found, preflight.Finding{Subject: "rollout", State: preflight.Noted, Told: told})
	}
	switch e := state.Entrance; {
	case e == nil:
	case closes || busy:
		found = append(found, preflight.Finding{Subject: "entrance", State: preflight.Noted, Told: fmt.Sprintf("the %s leads by weights to Services of a candidate's; the canary action closes it", e.Kind)})
	default:
		found = append(found, preflight.Finding{
			Subject: "entrance", State: preflight.Wrong, Told: fmt.Sprintf("a canary that has died left the %s leading to its own Services, which this action can't close", e.Kind),
			Fix: "run the canary action with `mode: recover` first",
		})
	}
	return found
}

// lookAtOrder says whether the change is older than what serves.
func (p *Preflight) lookAtOrder(ctx context.Context, state *cluster.State) []preflight.Finding {
	s, ch := state.Serving, p.about.Change
	if s == nil || s.Adopted || ch.Head == "" || p.about.Gate.GitHub == nil {
		return nil
	}
	err := p.about.Gate.Follows(ctx, ch, change.Point{Head: s.Commit, Tree: s.Tree, Merge: s.Merge})
	if err == nil {
		return nil
	}
	return []preflight.Finding{OfCheck("order", "", err)}
}
