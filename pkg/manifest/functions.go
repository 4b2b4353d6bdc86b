package manifest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig/v3"
	"sigs.k8s.io/yaml"

	"github.com/org/promote/pkg/secrets"
)

// holders are sprig's functions that pass a placeholder on as it is: they choose between values or keep them in containers.
var holders = []string{"ternary", "list", "tuple", "get", "set", "unset", "hasKey", "pick", "omit", "first",
	"last", "rest", "initial", "append", "push", "prepend", "concat"}

// functions returns what templates may call. Each is one of: ours, a carrier of placeholders, a holder, refused, or strict, which
// takes no placeholder at all.
func (r *renderer) functions() template.FuncMap {
	original := sprig.TxtFuncMap()
	table, strict := maps.Clone(original), map[string]bool{"toYaml": true, "html": true, "js": true}
	for name := range original {
		strict[name] = !slices.Contains(holders, name)
	}
	for name, reason := range refused {
		table[name] = refusing(name, reason)
	}
	for _, ours := range []template.FuncMap{
		{
			"secret": r.secret, "param": r.param, "include": r.include, "required": required, "dict": dict, "keys": keys, "values": values,
			"toString": func(v any) any { return orElse(v, original["toString"]) },
		},
		r.texts(original), r.conversions(original), decisions(original),
	} {
		maps.Copy(table, ours)
		for name := range ours {
			strict[name] = false
		}
	}
	maps.Copy(table, template.FuncMap{"toYaml": toYAML, "html": template.HTMLEscaper, "js": template.JSEscaper})
	for name := range refused {
		strict[name] = false
	}
	return guardAll(table, strict)
}

// secret is {{ secret "id" }} and {{ secret "id" "json-key" }}.
func (r *renderer) secret(id string, key ...string) (Opaque, error) {
	ref := secrets.Ref{Kind: secrets.Secret, ID: id}
	switch {
	case len(key) > 1:
		return Opaque{}, fmt.Errorf("secret takes an id and at most one JSON key, not %d", len(key))
	case len(key) == 1 && key[0] == "":
		return Opaque{}, fmt.Errorf("the JSON key of secret %q is empty; leave it out for the whole value", id)
	case len(key) == 1:
		ref.Key = key[0]
	}
	if err := ref.Check(); err != nil {
		return Opaque{}, err
	}
	return Opaque{text: r.ledger.mint(hole{ref: ref})}, nil
}

// param is {{ param "name" }}.
func (r *renderer) param(name string) (Opaque, error) {
	ref := secrets.Ref{Kind: secrets.Param, ID: name}
	if err := ref.Check(); err != nil {
		return Opaque{}, err
	}
	return Opaque{text: r.ledger.mint(hole{ref: ref})}, nil
}

func required(message string, v any) (any, error) {
	if v == nil || v == "" {
		return nil, fmt.Errorf("%s", message)
	}
	return v, nil
}

func toYAML(v any) (string, error) {
	out, err := yaml.Marshal(v)
	return strings.TrimSuffix(string(out), "\n"), err
}

// dict is sprig's, but a placeholder as a key is refused: it would become the text of a key.
func dict(pairs ...any) (map[string]any, error) {
	made := map[string]any{}
	for i := 0; i < len(pairs); i += 2 {
		if _, ok := pairs[i].(Opaque); ok {
			return nil, fmt.Errorf("a secret or param cannot be a key of a dict")
		}
		var v any = ""
		if i+1 < len(pairs) {
			v = pairs[i+1]
		}
		made[fmt.Sprint(pairs[i])] = v
	}
	return made, nil
}

// keys is sprig's in sorted order: its own order is Go's random one, and the same commit must render the same.
func keys(dicts ...map[string]any) []string {
	var all []string
	for _, d := range dicts {
		all = append(all, slices.Sorted(maps.Keys(d))...)
	}
	return all
}

// values is sprig's in the order of the keys, for the same reason.
func values(d map[string]any) []any {
	var all []any
	for _, key := range slices.Sorted(maps.Keys(d)) {
		all = append(all, d[key])
	}
	return all
}

// orElse returns a placeholder as it is and calls sprig's function, which takes anything, for all else.
func orElse(v any, function any) any {
	if o, ok := v.(Opaque); ok {
		return o
	}
	return function.(func(any) string)(v)
}
