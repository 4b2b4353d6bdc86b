package metrics

import (
	"context"
	"fmt"
	"net/http"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// exposition is what a pod said, by the names that queries use: those of a histogram's buckets, sum and count too.
type exposition struct {
	samples map[string]model.Vector
	types   map[string]dto.MetricType
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
