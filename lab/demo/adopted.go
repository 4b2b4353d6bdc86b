package demo

import (
	"context"
	"fmt"
	"strings"

	"github.com/org/promote/lab/load"
	"github.com/org/promote/pkg/cluster"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// adopted checks that the release took the place of what was put there by hand, and that nobody noticed.
func (s *scene) adopted(ctx context.Context, p *part) []expectation {
	return []expectation{s.ranOn(p), s.handedOver(p), s.tookThePlace(ctx, p)}
}

// ranOn checks that the very pods that were put there by hand became the first baseline, and served as they were until the
// release did.
func (s *scene) ranOn(p *part) expectation {
	h := s.handmade
	var baseline, switched selection
	for _, m := range s.witness.during(h.env, p) {
		switch {
		case m.Release == p.after[h.env]:
			switched = m
		case m.Release != "":
			baseline = m
		}
	}
	lives := s.witness.lives(h.env, baseline.Release)
	same, restarts := 0, int32(0)
	for _, uid := range h.pods {
		l, adopted := lives[uid]
		if adopted && !switched.Time.IsZero() && l.Leaving.After(switched.Time) && !l.Gone.IsZero() {
			same++
		}
		restarts += l.Restarts
	}
	return expectation{
		what: p.name() + ": what was put into " + h.env + " by hand is adopted, and its pods run on until the release serves",
		ok:   baseline.Release != "" && same == len(h.pods) && same > 0 && len(lives) == same && restarts == 0,
		seen: fmt.Sprintf("%d of its %d pods served as %s for %.1f s more, %d others, %d restarts",
			same, len(h.pods), baseline.Release, switched.Time.Sub(baseline.Time).Seconds(), len(lives)-same, restarts),
	}
}

// handedOver counts who answered the clients.
func (s *scene) handedOver(p *part) expectation {
	h := s.handmade
	records := load.Between(s.loads[h.env].Records(), h.began, p.ended)
	failed, answers := 0, map[string]int{}
	for _, r := range records {
		if r.Failed() {
			failed++
		}
		answers[r.Version]++
	}
	byHand, released := answers[handVersion], answers[p.head]
	return expectation{
		what: p.name() + ": no client of " + h.env + " noticed",
		ok:   failed == 0 && byHand > 0 && released > 0 && byHand+released == len(records),
		seen: fmt.Sprintf("%d of %d requests failed; the pods put there by hand answered %d, then %s %d", failed, len(records), byHand, p.head[:7], released),
	}
}

// tookThePlace reads what is left of what was put there by hand. Its ConfigMap and Secret are not promote's to remove: who put
// them there may have put other things beside them that use them.
func (s *scene) tookThePlace(ctx context.Context, p *part) expectation {
	env := s.handmade.env
	_, deployment := s.kube.AppsV1().Deployments(env).Get(ctx, s.service.name, metav1.GetOptions{})
	svc, err := s.kube.CoreV1().Services(env).Get(ctx, s.service.name, metav1.GetOptions{})
	_, config := s.kube.CoreV1().ConfigMaps(env).Get(ctx, s.service.name, metav1.GetOptions{})
	_, secret := s.kube.CoreV1().Secrets(env).Get(ctx, s.service.name, metav1.GetOptions{})
	same := err == nil && svc.UID == s.handmade.service
	left := config == nil && secret == nil
	return expectation{
		what: p.name() + ": the Deployment made by hand gives way, and its Service stays",
		ok:   strings.HasPrefix(p.after[env], p.head[:7]) && cluster.IsNotFound(deployment) && same && left,
		seen: fmt.Sprintf("%s serves through %s Service, Deployment/%s/%s is %s, and its ConfigMap and Secret are %s",
			p.after[env], either(same, "the same", "another"), env, s.service.name, either(cluster.IsNotFound(deployment), "gone", "not gone"),
			either(left, "left to who made them", "not left")),
	}
}
