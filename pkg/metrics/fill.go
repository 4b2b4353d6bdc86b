package metrics

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// placeholders are what a query may hold.
var placeholders = []string{"release", "namespace", "service", "window"}

// A dollar before anything but a letter is the query's own, as at the end of a regular expression.
var placeholder = regexp.MustCompile(`\$\{([A-Za-z_][A-Za-z0-9_]*)\}|\$([A-Za-z_][A-Za-z0-9_]*)`)

// harmless is what a filled-in name may consist of: nothing that means something within quotes or a regular expression,
// the dot of DNS names aside.
var harmless = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$`)

type filling struct {
	release, namespace, service string
	window                      time.Duration
}

// fill puts the values into a query.
func (f filling) fill(query string) (string, error) {
	values := map[string]string{"release": f.release, "namespace": f.namespace, "service": f.service, "window": f.windowText()}
	var errs []error
	for name, v := range values {
		if !harmless.MatchString(v) {
			errs = append(errs, fmt.Errorf("filling $%s: %q can't stand in a query", name, v))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return "", err
	}
	return placeholder.ReplaceAllStringFunc(query, func(m string) string { return values[nameOf(m)] }), checkPlaceholders(query)
}

// windowText is whole seconds, rounded up: the spelling that monitors share.
func (f filling) windowText() string {
	return fmt.Sprintf("%ds", max(1, int64((f.window+time.Second-1)/time.Second)))
}

// checkPlaceholders refuses names nobody fills.
func checkPlaceholders(query string) error {
	var errs []error
	for _, m := range placeholder.FindAllString(query, -1) {
		if name := nameOf(m); !slices.Contains(placeholders, name) {
			errs = append(errs, fmt.Errorf("the query has an unknown placeholder %s; there are $%s", m, strings.Join(placeholders, ", $")))
		}
	}
	return errors.Join(errs...)
}

func has(query, name string) bool {
	return slices.ContainsFunc(placeholder.FindAllString(query, -1), func(m string) bool { return nameOf(m) == name })
}

func nameOf(match string) string { return strings.Trim(match, "${}") }
