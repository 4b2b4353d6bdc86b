package manifest

import (
	"fmt"
	"slices"
	"text/template"
)

// undecided is the error of a placeholder that should decide what is rendered. To text/template and sprig it is a struct, which
// is never empty, so the answer would be the same whatever the value is.
func undecided(what string) error {
	return fmt.Errorf("%s cannot depend on a secret or param, because its value is filled in after rendering; decide by .Values or "+
		".Environment, or let the program look at the value (a lookup that finds nothing fails by itself)", what)
}

// comparisons are text/template's own.
var comparisons = []string{"eq", "ne", "lt", "le", "gt", "ge"}

// decisions are the functions that choose by whether an argument is empty. They take a placeholder where it is only passed on:
// as the value to fall back to.
func decisions(original template.FuncMap) template.FuncMap {
	empty := original["empty"].(func(any) bool)
	return template.FuncMap{
		"not": func(v any) (bool, error) {
			if _, ok := v.(Opaque); ok {
				return false, undecided("not")
			}
			truth, _ := template.IsTrue(v)
			return !truth, nil
		},
		"empty": func(v any) (bool, error) {
			if _, ok := v.(Opaque); ok {
				return false, undecided("empty")
			}
			return empty(v), nil
		},
		"default": func(fallback any, given ...any) (any, error) {
			return firstOf("default", empty, append(slices.Clone(given[:min(1, len(given))]), fallback))
		},
		"coalesce": func(items ...any) (any, error) { return firstOf("coalesce", empty, items) },
	}
}

// firstOf is the first item that is not empty. The last is not asked whether it is.
func firstOf(name string, empty func(any) bool, items []any) (any, error) {
	for i, item := range items {
		if _, ok := item.(Opaque); ok && i < len(items)-1 {
			return nil, undecided(name)
		}
		if !empty(item) {
			return item, nil
		}
	}
	if name == "default" && len(items) > 0 {
		return items[len(items)-1], nil
	}
	return nil, nil
}
