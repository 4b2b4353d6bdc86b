package metrics

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	dto "github.com/prometheus/client_model/go"
)

// The labels that every series of a pod has beside its own, as a scrape configuration would add them.
const (
	releaseLabel   = "release"
	namespaceLabel = "namespace"
	podLabel       = "pod"
)

// Target is a pod that serves, and where its metrics are.
type Target struct {
	// Pod is its name, UID tells it from another of that name.
	Pod, UID string
	// URL is reached through PodsConfig.HTTP.
	URL string
	// Started is when the pod began; what it counted, it counted since.
	Started time.Time
}

// PodsConfig says where pods are found and how they are reached.
type PodsConfig struct {
	Namespace string
	// Targets lists the pods of a release that serve.
	Targets func(ctx context.Context, release string) ([]Target, error)
	// HTTP reaches the pods.
	HTTP http.RoundTripper
}

// Pods is a Querier that needs no monitor: it reads the pods' own metrics at each look, and keeps what they counted.
type Pods struct {
	cfg    PodsConfig
	client *http.Client

	mu sync.Mutex
	// rounds holds the newest look at each release.
	rounds map[string]*round
	// history holds what pods counted, by release and UID; wanted are the metrics of which it is kept, types of what kind they are.
	history map[string]map[string]*podHistory
	wanted  map[string]bool
	types   map[string]dto.MetricType
}

// round is one look at all pods of a release.
type round struct {
	at   time.Time
	pods []Target
	// scraped has an entry for each pod that answered.
	scraped map[string]*exposition
	err     error
}

// NewPods gives a monitor; nothing is sent yet.
func NewPods(cfg PodsConfig) (*Pods, error) {
	if cfg.Targets == nil || cfg.HTTP == nil {
		return nil, errors.New("asking pods takes a list of them, and a way to them")
	}
	return &Pods{
		cfg: cfg, rounds: map[string]*round{}, history: map[string]map[string]*podHistory{}, wanted: map[string]bool{}, types: map[string]dto.MetricType{},
		client: &http.Client{
			Transport: &patient{inner: cfg.HTTP},
			// A pod that sends us elsewhere does not speak for itself.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// Query evaluates sum(increase(name{…}[37s])), and sum, avg, min or max(name{…}), with + and - between them; release="…" among the
// labels says whose pods are asked. Every look at a release that has the same time is one look at its pods.
func (p *Pods) Query(ctx context.Context, query string, at time.Time) (Sample, error) {
	release, terms, err := parsePodQuery(query)
	if err != nil {
		return Sample{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	r := p.look(ctx, release, at, terms)
	if r.err != nil {
		return Sample{}, r.err
	}
	if len(r.pods) == 0 {
		return Sample{}, &UnusableError{Fault: Empty, Detail: fmt.Sprintf("release %s has no pod that is ready", release)}
	}
	var value float64
	var absent []string
	for _, t := range terms {
		v, found, err := p.evaluate(t, r, release)
		if err != nil {
			return Sample{}, err
		}
		if !found {
			absent = append(absent, t.String())
		}
		value += t.sign * v
	}
	switch {
	case len(absent) == len(terms):
		return Sample{}, &UnusableError{Fault: Empty, Detail: "no pod has a series " + absent[0]}
	case len(absent) > 0:
		// Not 0: a label that is misspelt in one part must not pass for nothing bad.
		return Sample{}, &UnusableError{Fault: Partial, Detail: "no pod has a series " + absent[0] + ", which the other parts of the query have"}
	}
	s := Sample{Value: value, At: at}
	return s, s.finite()
}

// evaluate gives the number of one term; not found means that no series matches.
func (p *Pods) evaluate(t podTerm, r *round, release string) (value float64, found bool, err error) {
	if t.window > 0 && p.types[t.name] == dto.MetricType_GAUGE {
		return 0, false, wrongKind("%s is a gauge: it has no increase", t.name)
	}
	var values []float64
	since := r.at.Add(-t.window)
	for _, said := range r.scraped {
		if err := usable(said.samples[t.name], r.at); err != nil {
			return 0, false, err
		}
	}
	for _, pod := range p.history[release] {
		for _, series := range pod.tracks[t.name] {
			switch {
			case !t.picks(series.labels):
			case t.window > 0 && !series.at.Before(since):
				values = append(values, series.increase(since, pod.started))
			case t.window == 0 && series.at.Equal(r.at):
				values = append(values, series.raw)
			}
		}
	}
	if len(values) == 0 {
		return 0, false, nil
	}
	switch t.function {
	case "min":
		return slices.Min(values), true, nil
	case "max":
		return slices.Max(values), true, nil
	case "":
		if len(values) > 1 {
			return 0, false, &UnusableError{Fault: Several, Detail: fmt.Sprintf("%d pods or labels have %s; aggregate with sum()", len(values), t)}
		}
	}
	var sum float64
	for _, v := range values {
		sum += v
	}
	if t.function == "avg" {
		sum /= float64(len(values))
	}
	return sum, true, nil
}

// look reads the pods of a release, once for each time, and notes what the terms read.
func (p *Pods) look(ctx context.Context, release string, at time.Time, terms []podTerm) *round {
	r := p.rounds[release]
	if r == nil || !r.at.Equal(at) {
		r = p.scrapeAll(ctx, release, at)
		p.rounds[release] = r
		p.note(release, r, p.wanted)
	}
	fresh := map[string]bool{}
	for _, t := range terms {
		if !p.wanted[t.name] {
			p.wanted[t.name], fresh[t.name] = true, true
		}
	}
	p.note(release, r, fresh)
	return r
}

// note keeps what the pods said of some metrics.
func (p *Pods) note(release string, r *round, names map[string]bool) {
	if p.history[release] == nil {
		p.history[release] = map[string]*podHistory{}
	}
	for _, pod := range r.pods {
		said := r.scraped[pod.UID]
		if said == nil {
			continue
		}
		h := p.history[release][pod.UID]
		if h == nil {
			h = newPodHistory(pod.Started)
			p.history[release][pod.UID] = h
		}
		own := map[string]string{releaseLabel: release, namespaceLabel: p.cfg.Namespace, podLabel: pod.Pod}
		for name := range names {
			h.note(name, r.at, said.samples[name], own)
		}
	}
}

// Missing names the metrics of a query that no pod has in the newest look at any release.
func (p *Pods) Missing(_ context.Context, query string, _ time.Time) ([]string, error) {
	_, terms, err := parsePodQuery(query)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	var missing []string
	for _, t := range terms {
		known := false
		for _, r := range p.rounds {
			for _, said := range r.scraped {
				known = known || len(said.samples[t.name]) > 0
			}
		}
		if !known && !slices.Contains(missing, t.name) {
			missing = append(missing, t.name)
		}
	}
	return missing, nil
}
