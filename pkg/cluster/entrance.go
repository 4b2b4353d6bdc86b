package cluster

// The kinds of entrances.
const (
	// EntranceGateway are routes of the Gateway API, EntranceRoute53 is a DNS name over load balancers.
	EntranceGateway = "gateway"
	EntranceRoute53 = "route53"
)

// Entrance is what leads clients by weights, beside the shared Services, to the candidate's own. It is recorded before the first
// weight is moved, and until all of them are back: a Service that clients are led to must not be deleted.
type Entrance struct {
	Kind string `json:"kind"`
	// Zone and Name are the hosted zone and the DNS name.
	Zone string `json:"zone,omitempty"`
	Name string `json:"name,omitempty"`
	// Routes are the routes of a gateway.
	Routes []ObjectRef `json:"routes,omitempty"`
	// Ways are the Services that it leads to.
	Ways []Way `json:"ways"`
}

// Way is a shared Service and the candidate's own beside it.
type Way struct {
	Shared string    `json:"shared"`
	Own    ObjectRef `json:"own"`
}

// Objects are the objects that it is made of.
func (e *Entrance) Objects() []ObjectRef {
	if e == nil {
		return nil
	}
	return append(e.Own(), e.Routes...)
}

// Own are the candidate's Services.
func (e *Entrance) Own() []ObjectRef {
	if e == nil {
		return nil
	}
	refs := make([]ObjectRef, 0, len(e.Ways))
	for _, w := range e.Ways {
		refs = append(refs, w.Own)
	}
	return refs
}
