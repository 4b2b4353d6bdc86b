package metrics

import (
	"errors"
	"fmt"
	"strings"

	"github.com/org/promote/pkg/aliases"
	"github.com/org/promote/pkg/verdict"
	"sigs.k8s.io/yaml"
)

// The types of checks.
const (
	// RatioCheck counts bad requests among all requests.
	RatioCheck = "ratio"
	// ValueCheck holds one number against bounds.
	ValueCheck = "value"
)

// Check is one question to the monitor and what its answer may be.
type Check struct {
	Name string `json:"name"`
	// Type is ratio or value.
	Type string `json:"type"`
	// Bad and Total count the requests of $release within $window.
	Bad   string `json:"bad,omitempty"`
	Total string `json:"total,omitempty"`
	// Query gives the number of a value check for $release.
	Query string `json:"query,omitempty"`
	// Min and Max are bounds: of the share of bad requests (Max alone), or of the value.
	Min *float64 `json:"min,omitempty"`
	Max *float64 `json:"max,omitempty"`
	// Compare holds a ratio against the baseline; it is what a ratio without Max does anyway.
	Compare *bool `json:"compare,omitempty"`
	// MinRequests overrides the run's least number of requests.
	MinRequests int `json:"min-requests,omitempty"`
	// Failures of the last Of observations fail a value check; the default is the first one.
	Failures int `json:"failures,omitempty"`
	Of       int `json:"of,omitempty"`
}

// maxChecks bounds, in bytes, what checks are read to.
const maxChecks = 4 << 20

// ParseChecks reads checks from YAML: a list, or a mapping with the key checks. Unknown keys are errors, and all that is
// wrong with all checks comes at once.
func ParseChecks(text []byte) ([]Check, error) {
	if err := aliases.Check(text, maxChecks); err != nil {
		return nil, fmt.Errorf("reading the checks: %w", err)
	}
	var checks []Check
	if strings.HasPrefix(strings.TrimSpace(firstLine(string(text))), "checks:") {
		var file struct {
			Checks []Check `json:"checks"`
		}
		if err := yaml.UnmarshalStrict(text, &file); err != nil {
			return nil, fmt.Errorf("reading the checks: %w", err)
		}
		checks = file.Checks
	} else if err := yaml.UnmarshalStrict(text, &checks); err != nil {
		return nil, fmt.Errorf("reading the checks: %w", err)
	}
	if len(checks) == 0 {
		return nil, errors.New("reading the checks: there are none, and without a check nothing could stop a bad version")
	}
	var errs []error
	seen := map[string]bool{}
	for i, c := range checks {
		name := c.Name
		if name == "" {
			name = fmt.Sprintf("number %d", i+1)
			errs = append(errs, fmt.Errorf("check %s: it has no name", name))
		}
		if seen[c.Name] && c.Name != "" {
			errs = append(errs, fmt.Errorf("check %q: the name is taken by an earlier check", c.Name))
		}
		seen[c.Name] = true
		for _, problem := range c.problems() {
			errs = append(errs, fmt.Errorf("check %q: %w", name, problem))
		}
	}
	return checks, errors.Join(errs...)
}

// problems are all reasons why a check can't be asked.
func (c Check) problems() []error {
	var errs []error
	add := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	switch c.Type {
	case RatioCheck:
		if c.Query != "" || c.Min != nil || c.Failures != 0 || c.Of != 0 {
			add("`query`, `min`, `failures` and `of` belong to `type: value`; a ratio has `bad`, `total`, `max`, `compare`")
		}
		for _, q := range [][2]string{{"bad", c.Bad}, {"total", c.Total}} {
			errs = append(errs, mustHold(q[0], q[1], "release", "window")...)
		}
		rule := c.ratio(1, 0.001)
		if err := rule.Check(); err != nil {
			errs = append(errs, err)
			break
		}
		const all = 1000
		if rule.Judge(rule.Begin(verdict.Counts{Total: all}), verdict.Counts{Bad: all, Total: all}, &verdict.Counts{Total: all}).Outcome != verdict.Fail {
			add("`max: %v` would not even stop a candidate whose every request of %d is bad; lower it", *c.Max, all)
		}
	case ValueCheck:
		if c.Bad != "" || c.Total != "" || c.Compare != nil || c.MinRequests != 0 {
			add("`bad`, `total`, `compare` and `min-requests` belong to `type: ratio`; a value has `query`, `min`, `max`, `failures`, `of`")
		}
		errs = append(errs, mustHold("query", c.Query, "release")...)
		if err := c.value().Check(); err != nil {
			errs = append(errs, err)
		}
	default:
		add("its type is %q; the types are %s and %s", c.Type, RatioCheck, ValueCheck)
	}
	if c.MinRequests < 0 {
		add("`min-requests` is %d; give at least 1", c.MinRequests)
	}
	return errs
}

// mustHold refuses a query that could not tell releases or times apart.
func mustHold(field, query string, names ...string) []error {
	if query == "" {
		return []error{fmt.Errorf("`%s` is missing", field)}
	}
	var errs []error
	if err := checkPlaceholders(query); err != nil {
		errs = append(errs, fmt.Errorf("`%s`: %w", field, err))
	}
	why := map[string]string{
		"release": "it would give the same number for baseline and candidate",
		"window":  "it would count more or less than the step that is judged",
	}
	for _, name := range names {
		if !has(query, name) {
			errs = append(errs, fmt.Errorf("`%s` holds no $%s: %s", field, name, why[name]))
		}
	}
	return errs
}

// ratio is the rule of a ratio check.
func (c Check) ratio(minRequests int, alpha float64) verdict.Ratio {
	if c.MinRequests > 0 {
		minRequests = c.MinRequests
	}
	return verdict.Ratio{Max: c.Max, Compare: c.compares(), MinRequests: minRequests, Alpha: alpha}
}

func (c Check) compares() bool {
	if c.Compare != nil {
		return *c.Compare
	}
	return c.Max == nil
}

// value is the rule of a value check.
func (c Check) value() verdict.Value {
	return verdict.Value{Min: c.Min, Max: c.Max, Failures: c.Failures, Of: c.Of}
}

// firstLine is the first line that is neither empty nor a comment.
func firstLine(text string) string {
	for line := range strings.Lines(text) {
		if t := strings.TrimSpace(line); t != "" && !strings.HasPrefix(t, "#") && t != "---" {
			return line
		}
	}
	return ""
}
