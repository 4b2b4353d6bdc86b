package metrics

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"time"
)

// A name before a brace or a bracket is a metric in PromQL; functions and operators are followed by parentheses.
var metricName = regexp.MustCompile(`([A-Za-z_:][A-Za-z0-9_:]*)\s*[{\[]`)

// quoted are label values, in which anything may stand.
var quoted = regexp.MustCompile("\"(?:[^\"\\\\]|\\\\.)*\"|'(?:[^'\\\\]|\\\\.)*'|`[^`]*`")

// Missing asks Prometheus for each metric that the query names.
func (p *Prometheus) Missing(ctx context.Context, query string, at time.Time) ([]string, error) {
	var missing []string
	for _, name := range metricNames(query) {
		_, err := p.Query(ctx, "count("+name+")", at)
		var unusable *UnusableError
		if errors.As(err, &unusable) && unusable.Fault == Empty {
			missing = append(missing, name)
			continue
		}
		if err != nil {
			return nil, err
		}
	}
	return missing, nil
}

// metricNames are the metrics of a PromQL query.
func metricNames(query string) []string {
	return captured(metricName, quoted.ReplaceAllString(query, `""`))
}

// captured is what the pattern's group matches, each once.
func captured(pattern *regexp.Regexp, text string) []string {
	var names []string
	for _, m := range pattern.FindAllStringSubmatch(text, -1) {
		names = append(names, m[1])
	}
	slices.Sort(names)
	return slices.Compact(names)
}
