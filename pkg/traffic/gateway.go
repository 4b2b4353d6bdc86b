package traffic

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/org/promote/pkg/cluster"
)

// routes is what is asked of *cluster.Cluster.
type routes interface {
	CheckRoutes(ctx context.Context, routes []cluster.ObjectRef, ways []cluster.Way) error
	ShareRoute(ctx context.Context, route cluster.ObjectRef, ways []cluster.Way, percent float64) error
	RestoreRoute(ctx context.Context, route cluster.ObjectRef, ways []cluster.Way) error
	PatchRoute(ctx context.Context, route cluster.ObjectRef, ways []cluster.Way, percent float64) error
}

// Gateway is the entrance that HTTPRoutes of the Gateway API are. They are found, not named: every route of the namespace that leads
// to a shared Service takes part, since one that did not would send all of its clients to the baseline.
type Gateway struct {
	in  routes
	as  cluster.Entrance
	log func(string)
}

// FindGateway looks for the routes that lead to the shared Services of the ways; the entrance that it gives is what is to be recorded
// before anything moves. log may be nil.
func FindGateway(ctx context.Context, c *cluster.Cluster, ways []cluster.Way, log func(string)) (*Gateway, error) {
	names := make([]string, 0, len(ways))
	for _, w := range ways {
		names = append(names, w.Shared)
	}
	found, err := c.Routes(ctx, names)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, noRouteError{fmt.Sprintf("no HTTPRoute in Namespace/%s leads to Service %s, so there are no weights to move: put one into the manifests, or use the input `traffic: pods`", c.Namespace, strings.Join(names, ", "))}
	}
	return OpenGateway(c, cluster.Entrance{Kind: cluster.EntranceGateway, Routes: found, Ways: ways}, log), nil
}

// ErrNoRoute says that no route leads to the shared Services.
var ErrNoRoute = errors.New("no route leads to the Services")

// noRouteError is an ErrNoRoute in the words that its reader needs.
type noRouteError struct{ text string }

func (e noRouteError) Error() string   { return e.text }
func (noRouteError) Is(err error) bool { return err == ErrNoRoute }

// OpenGateway takes a recorded entrance up again.
func OpenGateway(c *cluster.Cluster, as cluster.Entrance, log func(string)) *Gateway {
	if log == nil {
		log = func(string) {}
	}
	return &Gateway{in: c, as: as, log: log}
}

// Entrance is the record of it.
func (g *Gateway) Entrance() cluster.Entrance { return g.as }

// Check refuses routes that can't be shared, and rights that are missing.
func (g *Gateway) Check(ctx context.Context) error {
	return g.in.CheckRoutes(ctx, g.as.Routes, g.as.Ways)
}

// Shift patches one route after the other and waits until the gateway has taken each over.
func (g *Gateway) Shift(ctx context.Context, percent float64) error {
	for _, r := range g.as.Routes {
		if err := g.in.ShareRoute(ctx, r, g.as.Ways, percent); err != nil {
			return err
		}
		g.log(fmt.Sprintf("%s gives the candidate %.4g %%", r, percent))
	}
	return nil
}

// Return patches every route, and waits for none.
func (g *Gateway) Return(ctx context.Context) error {
	var errs []error
	for _, r := range g.as.Routes {
		errs = append(errs, g.in.PatchRoute(ctx, r, g.as.Ways, 0))
	}
	return errors.Join(errs...)
}

// Close gives every route back the backends that it had.
func (g *Gateway) Close(ctx context.Context) error {
	for _, r := range g.as.Routes {
		if err := g.in.RestoreRoute(ctx, r, g.as.Ways); err != nil {
			return err
		}
		g.log(fmt.Sprintf("%s leads to %s alone again", r, sharedNames(g.as.Ways)))
	}
	return nil
}

func sharedNames(ways []cluster.Way) string {
	names := make([]string, 0, len(ways))
	for _, w := range ways {
		names = append(names, "Service "+w.Shared)
	}
	return strings.Join(names, ", ")
}
