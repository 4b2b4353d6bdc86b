package manifest

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// places returns a problem for each placeholder that stands where a value must not decide: in a map key, and in what
// identifies an object or selects it.
func (l *ledger) places(objects []object) []error {
	var problems []error
	for _, o := range objects {
		report := func(path []string, text, what string) {
			problems = append(problems, fmt.Errorf("%s: %s: %s stands in %s at %s; write it out, or take it from .Values", o.at,
				subject(o.Unstructured), l.describe(text), what, place(path)))
		}
		visit(o.Object, nil, func(path []string, text string) {
			if !l.holds(text) {
				return
			}
			if what := identity(path); what != "" {
				report(path, text, what)
			} else if _, err := l.split(text); err != nil {
				problems = append(problems, fmt.Errorf("%s: %s at %s: %w", o.at, subject(o.Unstructured), place(path), err))
			}
		})
		visitKeys(o.Object, nil, func(path []string, key string) {
			if l.holds(key) {
				report(path, key, "a map key")
			}
		})
	}
	return problems
}

// identity says what a path identifies, or "" when it may hold a placeholder.
func identity(path []string) string {
	if len(path) == 1 && (path[0] == "apiVersion" || path[0] == "kind") {
		return "the object's " + path[0]
	}
	if path[0] == "metadata" && len(path) > 1 && path[1] != "annotations" {
		switch path[1] {
		case "name", "generateName", "namespace":
			return "the object's " + path[1]
		case "labels":
			return "a label"
		}
		return "the object's metadata"
	}
	if path[0] != "spec" {
		return ""
	}
	for i, name := range path {
		switch {
		case name == "labels" && path[i-1] == "metadata":
			return "a label"
		case name == "selector" || name == "matchLabels" || name == "matchExpressions":
			return "a selector"
		}
	}
	return ""
}

// visit calls see for every string below value, keys in sorted order.
func visit(value any, path []string, see func(path []string, text string)) {
	switch v := value.(type) {
	case string:
		see(path, v)
	case []any:
		for i, item := range v {
			visit(item, append(path[:len(path):len(path)], strconv.Itoa(i)), see)
		}
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			visit(v[key], append(path[:len(path):len(path)], key), see)
		}
	}
}

// visitKeys calls see for every key of every map below value.
func visitKeys(value any, path []string, see func(path []string, key string)) {
	switch v := value.(type) {
	case []any:
		for i, item := range v {
			visitKeys(item, append(path[:len(path):len(path)], strconv.Itoa(i)), see)
		}
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			see(path, key)
			visitKeys(v[key], append(path[:len(path):len(path)], key), see)
		}
	}
}

// place writes a path as people know it: .spec.containers[0].image.
func place(path []string) string {
	if len(path) == 0 {
		return "the top"
	}
	var out strings.Builder
	for _, name := range path {
		if _, err := strconv.Atoi(name); err == nil {
			out.WriteString("[" + name + "]")
			continue
		}
		out.WriteString("." + name)
	}
	return out.String()
}
