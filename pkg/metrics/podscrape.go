package metrics

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strings"
	"sync"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// scrapesAtOnce is as many as requests to an API server are in flight elsewhere.
const scrapesAtOnce = 16

// exposition is what a pod said, by the names that queries use: those of a histogram's buckets, sum and count too.
type exposition struct {
	samples map[string]model.Vector
	types   map[string]dto.MetricType
}

// scrapeAll reads all pods at once. One that serves and can't be read makes the answer partial; when none can, there is none.
func (p *Pods) scrapeAll(ctx context.Context, release string, at time.Time) *round {
	ctx, cancel := context.WithTimeout(ctx, QueryTime)
	defer cancel()
	r := &round{at: at, scraped: map[string]*exposition{}}
	if r.pods, r.err = p.cfg.Targets(ctx, release); r.err != nil {
		r.err = failed(ctx, "the pods", r.err)
		return r
	}
	said, errs := make([]*exposition, len(r.pods)), make([]error, len(r.pods))
	var wg sync.WaitGroup
	turns := make(chan struct{}, scrapesAtOnce)
	for i, pod := range r.pods {
		wg.Go(func() {
			turns <- struct{}{}
			defer func() { <-turns }()
			said[i], errs[i] = p.scrape(ctx, pod, at)
		})
	}
	wg.Wait()
	var problems []string
	for i, pod := range r.pods {
		if errs[i] == nil {
			r.scraped[pod.UID] = said[i]
			for name, kind := range said[i].types {
				p.types[name] = kind
			}
			continue
		}
		problems = append(problems, fmt.Sprintf("Pod/%s/%s: %v", p.cfg.Namespace, pod.Pod, errs[i]))
	}
	var unusable *UnusableError
	switch {
	case len(problems) == 0:
	case errors.As(errors.Join(errs...), &unusable):
		r.err = &UnusableError{Fault: unusable.Fault, Detail: problems[0]}
	case len(problems) < len(r.pods):
		r.err = &UnusableError{Fault: Partial, Detail: strings.Join(problems, "; ")}
	default:
		r.err = errors.New("asking the pods: " + strings.Join(problems, "; "))
	}
	return r
}

// scrape reads one pod.
func (p *Pods) scrape(ctx context.Context, pod Target, at time.Time) (*exposition, error) {
	seen := &answer{}
	ctx = context.WithValue(ctx, answerKey{}, seen)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, pod.URL, nil)
	if err != nil {
		return nil, withoutURL(err)
	}
	req.Header.Set("Accept", string(expfmt.NewFormat(expfmt.TypeTextPlain)))
	resp, err := p.client.Do(req)
	if err != nil {
		return nil, failed(ctx, "it", err)
	}
	defer resp.Body.Close()
	if refused := seen.refused("it"); refused != nil {
		return nil, refused
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(resp.Body)
	if err != nil {
		return nil, failed(ctx, "it", fmt.Errorf("reading its metrics: %w", err))
	}
	said := &exposition{samples: map[string]model.Vector{}, types: map[string]dto.MetricType{}}
	for name, family := range families {
		samples, err := expfmt.ExtractSamples(&expfmt.DecodeOptions{Timestamp: model.TimeFromUnixNano(at.UnixNano())}, family)
		if err != nil {
			return nil, fmt.Errorf("reading its metrics: %w", err)
		}
		said.types[name] = family.GetType()
		for _, s := range samples {
			of := string(s.Metric[model.MetricNameLabel])
			said.samples[of] = append(said.samples[of], s)
		}
	}
	return said, nil
}

// usable refuses samples that are no numbers, or of another time.
func usable(samples model.Vector, at time.Time) error {
	for _, s := range samples {
		v := float64(s.Value)
		switch {
		case math.IsNaN(v) || math.IsInf(v, 0):
			return &UnusableError{Fault: NotANumber, Detail: fmt.Sprintf("%s is %v", s.Metric, v)}
		case at.Sub(s.Timestamp.Time()) > lookback:
			return &UnusableError{Fault: Stale, Detail: fmt.Sprintf("%s is of %s, asked was %s", s.Metric, clock(s.Timestamp.Time()), clock(at))}
		}
	}
	return nil
}
