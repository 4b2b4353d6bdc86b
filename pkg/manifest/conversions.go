package manifest

import (
	"fmt"
	"reflect"
	"text/template"
)

// conversions are the functions whose work on a placeholder is done later, on the value.
func (r *renderer) conversions(original template.FuncMap) template.FuncMap {
	return template.FuncMap{
		"b64enc": func(v any) (any, error) {
			if o, ok := v.(Opaque); ok {
				return r.ledger.convert(Opaque{text: r.ledger.asText(o.text)}, base64ed), nil
			}
			text, ok := v.(string)
			if !ok {
				return nil, wants("b64enc", v)
			}
			return original["b64enc"].(func(string) string)(text), nil
		},
		"urlquery": func(args ...any) (any, error) {
			if len(args) == 1 {
				if o, ok := args[0].(Opaque); ok {
					return r.ledger.convert(Opaque{text: r.ledger.asText(o.text)}, escaped), nil
				}
			}
			if found, err := contains(reflect.ValueOf(args), 0); found || err != nil {
				return nil, refusal("urlquery with several arguments")
			}
			return template.URLQueryEscaper(args...), nil
		},
		"int":     r.numeric("int", whole, original["int"]),
		"int64":   r.numeric("int64", whole, original["int64"]),
		"atoi":    r.numeric("atoi", whole, original["atoi"]),
		"float64": r.numeric("float64", fraction, original["float64"]),
	}
}

// numeric lets a placeholder that is the value alone become a number; anything else goes to sprig's function.
func (r *renderer) numeric(name string, with conversion, function any) func(any) (any, error) {
	return func(v any) (any, error) {
		if o, ok := v.(Opaque); ok {
			parts, err := r.ledger.split(o.text)
			if err != nil || len(parts) != 1 || parts[0].hole.with != asIs {
				return nil, fmt.Errorf("%s wants the value of one secret or param, not a longer text with one in it", name)
			}
			return r.ledger.convert(o, with), nil
		}
		if found, err := contains(reflect.ValueOf(v), 0); found || err != nil {
			return nil, refusal(name)
		}
		switch f := function.(type) {
		case func(any) int:
			return f(v), nil
		case func(any) int64:
			return f(v), nil
		case func(any) float64:
			return f(v), nil
		case func(string) int:
			if text, ok := v.(string); ok {
				return f(text), nil
			}
		}
		return nil, wants(name, v)
	}
}

// wants is the error of a function of text that got something else.
func wants(name string, v any) error {
	if v == nil {
		return fmt.Errorf("%s wants text, and got null", name)
	}
	return fmt.Errorf("%s wants text, and got %s", name, word(reflect.TypeOf(v)))
}
