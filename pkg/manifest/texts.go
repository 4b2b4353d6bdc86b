package manifest

import (
	"fmt"
	"reflect"
	"strings"
	"text/template"
)

// texts are the functions that carry placeholders inside longer text.
func (r *renderer) texts(original template.FuncMap) template.FuncMap {
	table := template.FuncMap{
		"print":   r.joining("print", fmt.Sprint),
		"println": r.joining("println", fmt.Sprintln),
		"printf": func(format string, args ...any) (any, error) {
			return r.joining("printf", func(args ...any) string { return fmt.Sprintf(format, args...) })(args...)
		},
		"join": func(separator string, items any) (any, error) {
			return r.joining("join", func(args ...any) string { return original["join"].(func(string, any) string)(separator, args[0]) })(items)
		},
		"indent":     r.layingOut("indent", original["indent"]),
		"nindent":    r.layingOut("nindent", original["nindent"]),
		"trim":       r.trimming("trim", strings.TrimSpace),
		"trimAll":    r.trimmingBy("trimAll", original["trimAll"]),
		"trimall":    r.trimmingBy("trimall", original["trimall"]),
		"trimPrefix": r.trimmingBy("trimPrefix", original["trimPrefix"]),
		"trimSuffix": r.trimmingBy("trimSuffix", original["trimSuffix"]),
	}
	for _, name := range []string{"quote", "squote", "cat"} {
		table[name] = r.joining(name, original[name].(func(...any) string))
	}
	return table
}

// joining lets a function that writes its arguments as text carry placeholders, and checks that it did. Numbers become text.
func (r *renderer) joining(name string, function func(...any) string) func(...any) (any, error) {
	return func(args ...any) (any, error) {
		found, err := contains(reflect.ValueOf(args), 0)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if !found {
			return function(args...), nil
		}
		from := make([]string, len(args))
		for i, arg := range args {
			if o, ok := arg.(Opaque); ok {
				arg = Opaque{text: r.ledger.asText(o.text)}
				args[i] = arg
			}
			from[i] = fmt.Sprint(arg)
		}
		return r.ledger.carried(name, function(args...), from...)
	}
}

// layingOut carries placeholders through indent and nindent, which move whole lines.
func (r *renderer) layingOut(name string, function any) func(int, any) (any, error) {
	apply := function.(func(int, string) string)
	return func(spaces int, v any) (any, error) {
		switch text := v.(type) {
		case string:
			return apply(spaces, text), nil
		case Opaque:
			return r.ledger.carried(name, apply(spaces, text.text), text.text)
		}
		return nil, wants(name, v)
	}
}

// trimming carries text around placeholders through trim, as included templates need it. With a token at an edge the value's
// own blanks would stay, so that is refused.
func (r *renderer) trimming(name string, apply func(string) string) func(any) (any, error) {
	return func(v any) (any, error) {
		switch text := v.(type) {
		case string:
			return apply(text), nil
		case Opaque:
			parts, err := r.ledger.split(text.text)
			if err != nil || parts[0].hole != nil || parts[len(parts)-1].hole != nil {
				return nil, refusal(name)
			}
			return r.ledger.carried(name, apply(text.text), text.text)
		}
		return nil, wants(name, v)
	}
}

// trimmingBy is trimming for the functions that are told what to trim.
func (r *renderer) trimmingBy(name string, function any) func(string, any) (any, error) {
	apply := function.(func(string, string) string)
	return func(cut string, v any) (any, error) {
		return r.trimming(name, func(s string) string { return apply(cut, s) })(v)
	}
}
