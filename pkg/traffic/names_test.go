package traffic

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/org/promote/pkg/cluster"
)

// zone is a hosted zone that notes what is done.
type zone struct {
	did   []string
	fails map[string]error
}

func (z *zone) note(format string, args ...any) error {
	line := fmt.Sprintf(format, args...)
	z.did = append(z.did, line)
	verb, _, _ := strings.Cut(line, " ")
	return z.fails[verb]
}
func (z *zone) BalancerHost(_ context.Context, service string) (string, error) {
	return service + ".elb", nil
}
func (z *zone) Find(_ context.Context, host string) (Balancer, error) {
	return Balancer{Host: host}, z.fails["find"]
}
func (z *zone) Check(_ context.Context, b Balancer) error { return z.note("check %s", b.Host) }
func (z *zone) Ensure(_ context.Context, b Balancer) (Change, error) {
	return Change{ID: "C0"}, z.note("ensure %s", b.Host)
}
func (z *zone) Healthy(_ context.Context, b Balancer, least int) error {
	return z.note("healthy %s %d", b.Host, least)
}
func (z *zone) Shift(_ context.Context, stable, candidate Balancer, percent float64) (Weights, error) {
	return Weights{}, z.note("shift %s %s %v", stable.Host, candidate.Host, percent)
}
func (z *zone) Restore(context.Context) (Change, error) { return Change{ID: "C1"}, z.note("restore") }
func (z *zone) Settle(_ context.Context, c Change) error {
	return z.note("settle %s", c.ID)
}

func named(z *zone) *Names {
	return &Names{in: z, dns: z, as: cluster.Entrance{Ways: []cluster.Way{{Shared: "shop", Own: cluster.ObjectRef{Name: "shop-candidate"}}}}}
}

func TestANameGetsAnswersOnlyForHealthyBalancers(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(*Names) error
		want []string
	}{
		"the first time":  {func(n *Names) error { return n.Establish(t.Context()) }, []string{"check shop.elb", "ensure shop.elb", "settle C0"}},
		"a check":         {func(n *Names) error { return n.Check(t.Context()) }, []string{"check shop.elb"}},
		"a shift":         {func(n *Names) error { return n.Shift(t.Context(), 5) }, []string{"healthy shop-candidate.elb 1", "ensure shop.elb", "shift shop.elb shop-candidate.elb 5"}},
		"a way back":      {func(n *Names) error { return n.Return(t.Context()) }, []string{"restore"}},
		"the closing end": {func(n *Names) error { return n.Close(t.Context()) }, []string{"healthy shop.elb 1", "restore", "settle C1"}},
	} {
		t.Run(name, func(t *testing.T) {
			z := &zone{}
			if err := c.do(named(z)); err != nil || !slices.Equal(z.did, c.want) {
				t.Errorf("did %q, %v; want %q", z.did, err, c.want)
			}
			// Whatever fails, nothing that comes after it is done.
			for i, line := range c.want {
				verb, _, _ := strings.Cut(line, " ")
				z := &zone{fails: map[string]error{verb: errors.New("AccessDenied")}}
				if err := c.do(named(z)); err == nil || !slices.Equal(z.did, c.want[:i+1]) {
					t.Errorf("with %s failing: did %q, %v", verb, z.did, err)
				}
			}
		})
	}
}

func TestANameStandsForOneService(t *testing.T) {
	dns := &DNS{}
	for _, ways := range [][]cluster.Way{nil, {{Shared: "a"}, {Shared: "b"}}} {
		if _, err := FindNames(nil, dns, ways); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("have %d", len(ways))) {
			t.Errorf("%v: got %v", ways, err)
		}
	}
}
