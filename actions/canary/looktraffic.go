package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"time"

	"github.com/org/promote/pkg/cluster"
	"github.com/org/promote/pkg/job"
	"github.com/org/promote/pkg/preflight"
	"github.com/org/promote/pkg/traffic"
)

// balancerTime is how long a preflight waits for a load balancer that should have its address already.
const balancerTime = 5 * time.Second

// lookAtTraffic says whether what shares the traffic can do it.
func (d *ahead) lookAtTraffic(ctx context.Context) []preflight.Finding {
	cl, err := d.looks.Cluster()
	switch {
	case d.in.traffic == trafficPods:
		return nil // it takes nothing that a deployment does not
	case err != nil:
		return []preflight.Finding{{Subject: d.in.traffic, State: preflight.Unknown, Told: "the cluster can't be reached"}}
	}
	ways := d.looks.Sketch().Ways()
	if d.looks.Sketch().Objects() == nil {
		return []preflight.Finding{{Subject: d.in.traffic, State: preflight.Unknown, Told: "the manifests do not render, so nobody knows which Services are shared"}}
	}
	if d.in.traffic == trafficGateway {
		return d.lookAtGateway(ctx, cl, ways)
	}
	return d.lookAtNames(ctx, cl, ways)
}

func (d *ahead) lookAtGateway(ctx context.Context, cl *cluster.Cluster, ways []cluster.Way) []preflight.Finding {
	gateway, err := traffic.FindGateway(ctx, cl, ways, nil)
	switch {
	case errors.Is(err, traffic.ErrNoRoute) && d.looks.Sketch().Routes():
		return []preflight.Finding{{Subject: "HTTPRoute", State: preflight.Noted, Told: "none is there yet; one comes with this release"}}
	case err != nil:
		return []preflight.Finding{{Subject: "HTTPRoute", State: preflight.Wrong, Told: err.Error()}}
	}
	var names []string
	for _, r := range gateway.Entrance().Routes {
		names = append(names, r.String())
	}
	return job.OfChecks("HTTPRoute", strings.Join(names, ", ")+" can share clients by weights", gateway.Check(ctx))
}

// lookAtNames asks for the zone, the records, the load balancers and the rights. The check has Route 53 itself judge a change that it can't
// carry out; nothing is written.
func (d *ahead) lookAtNames(ctx context.Context, cl *cluster.Cluster, ways []cluster.Way) []preflight.Finding {
	dns, err := newDNS(ctx, d.action, d.in, d.in.hostedZone, d.in.dnsName)
	if err != nil {
		return job.OfChecks(d.in.dnsName, "", err)
	}
	names, err := traffic.FindNames(cl, dns, ways)
	if err != nil {
		return job.OfChecks(d.in.dnsName, "", err)
	}
	if state, err := d.looks.State(); err == nil && state.Serving == nil {
		return []preflight.Finding{{Subject: d.in.dnsName, State: preflight.Noted, Told: "nothing serves yet, so there is no load balancer to look at; the first release makes it, and the name is checked then"}}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, balancerTime, fmt.Errorf("not answered within %s", balancerTime))
	defer cancel()
	return job.OfChecks(d.in.dnsName, fmt.Sprintf("hosted zone %s can share it", d.in.hostedZone), names.Check(ctx))
}

// lookAtWatchdog says whether one can stand by. Where it need not, what is lacking is only worth knowing.
func (d *ahead) lookAtWatchdog(ctx context.Context) []preflight.Finding {
	state := preflight.Wrong
	switch d.in.watchdog {
	case watchdogOff:
		return []preflight.Finding{{Subject: "watchdog", State: preflight.Noted, Told: "none stands by (input `watchdog: false`): if a run dies, traffic stays as it is until the next one"}}
	case watchdogAuto:
		state = preflight.Noted
	}
	cl, err := d.looks.Cluster()
	if err != nil {
		return []preflight.Finding{{Subject: "watchdog", State: preflight.Unknown, Told: "the cluster can't be reached"}}
	}
	var found []preflight.Finding
	if runtime.GOOS != "linux" {
		found = append(found, preflight.Finding{Subject: "program", State: state, Told: "this runner is no Linux machine, and its program does not run in the cluster", Fix: "run the job on a runner with Linux"})
	}
	if d.in.watchdog == watchdogAuto { // with `true` the look at the cluster asks for them
		lacking, err := cl.Lacking(ctx, cluster.WatchdogRights)
		if err != nil {
			return append(found, preflight.Finding{Subject: "rights", State: preflight.Unknown, Told: err.Error()})
		}
		for _, r := range lacking {
			f := job.Lacks(ctx, cl, r)
			f.State = state
			found = append(found, f)
		}
	}
	account := "ServiceAccount/" + cl.Namespace + "/" + cluster.WatchdogAccount
	switch err := cl.CheckWatchdog(ctx); {
	case errors.Is(err, cluster.ErrNoWatchdogAccount):
		found = append(found, preflight.Finding{Subject: account, State: state, Told: "it is not there, so no watchdog stands by", Fix: "apply docs/role-watchdog.yaml to the namespace, or set `watchdog: false`"})
	case err != nil:
		found = append(found, preflight.Finding{Subject: account, State: preflight.Unknown, Told: err.Error()})
	default:
		found = append(found, preflight.Finding{Subject: account, State: preflight.Good, Told: "it is there; whether docs/role-watchdog.yaml is bound to it this account may not see"})
	}
	return found
}
