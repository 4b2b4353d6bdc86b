package manifest

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/org/promote/pkg/secrets"
)

// Fill returns the objects with the values in the places of their placeholders. Only strings that were parsed as strings
// change, so whatever a value holds, the objects keep their shape. Every missing or unfit value is in the error, by name.
func (r *Rendered) Fill(values map[secrets.Ref]secrets.Value) ([]*unstructured.Unstructured, error) {
	var problems []error
	for _, ref := range r.Refs() {
		if _, ok := values[ref]; !ok {
			problems = append(problems, fmt.Errorf("filling in %s: it was not looked up", ref))
		}
	}
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	f := filler{ledger: r.ledger, values: values}
	filled := make([]*unstructured.Unstructured, len(r.objects))
	for i, o := range r.objects {
		f.subject = subject(o.Unstructured)
		filled[i] = &unstructured.Unstructured{Object: f.fill(o.Object, nil).(map[string]any)}
	}
	if len(f.problems) > 0 {
		return nil, errors.Join(f.problems...)
	}
	return filled, nil
}

// filler fills the objects of one Fill and collects what does not fit.
type filler struct {
	ledger   *ledger
	values   map[secrets.Ref]secrets.Value
	subject  string
	problems []error
}

// fill returns a copy of value with its placeholders filled in.
func (f *filler) fill(value any, path []string) any {
	switch v := value.(type) {
	case string:
		if !f.ledger.holds(v) {
			return v
		}
		filled, err := f.text(v)
		if err != nil {
			f.problems = append(f.problems, fmt.Errorf("filling in %s at %s of %s: %w", f.ledger.describe(v), place(path), f.subject, err))
			return ""
		}
		return filled
	case []any:
		items := make([]any, len(v))
		for i, item := range v {
			items[i] = f.fill(item, append(path[:len(path):len(path)], fmt.Sprint(i)))
		}
		return items
	case map[string]any:
		fields := make(map[string]any, len(v))
		for key, field := range v {
			fields[key] = f.fill(field, append(path[:len(path):len(path)], key))
		}
		return fields
	}
	return value
}

// text fills one string in. The result is a string, or a number when the string is one placeholder that was made a number.
func (f *filler) text(text string) (any, error) {
	parts, err := f.ledger.split(text)
	if err != nil {
		return nil, err
	}
	if len(parts) == 1 && textForms[parts[0].hole.with] != asIs {
		return f.number(*parts[0].hole, parts[0].hole.with)
	}
	filled, err := f.concat(text, false)
	if err != nil {
		return nil, err
	}
	return filled, fitsText(filled)
}

// concat joins the literals and values of text. Only what b64enc encodes as a whole may hold binary values.
func (f *filler) concat(text string, encoded bool) (string, error) {
	parts, err := f.ledger.split(text)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	for _, p := range parts {
		if p.hole == nil {
			out.WriteString(p.literal)
			continue
		}
		value, err := f.hole(*p.hole, encoded)
		if err != nil {
			return "", err
		}
		out.WriteString(value)
	}
	return out.String(), nil
}

// hole returns what one token stands for, as text.
func (f *filler) hole(h hole, encoded bool) (string, error) {
	with := h.with
	if form, ok := textForms[with]; ok {
		with = form
	}
	if slices.Contains([]conversion{wholeTxt, fracTxt}, with) {
		n, err := f.number(h, with)
		if err != nil {
			return "", err
		}
		return n.(string), nil
	}
	if h.of == "" {
		value := f.values[h.ref]
		if value.Binary && !encoded {
			return "", errBinary
		}
		return string(value.Data), nil
	}
	value, err := f.concat(h.of, with == base64ed)
	if err != nil {
		return "", err
	}
	return encode(value, with)
}

// number returns the number a hole stands for.
func (f *filler) number(h hole, with conversion) (any, error) {
	value, err := f.concat(h.of, false)
	if err != nil {
		return nil, err
	}
	return number(value, with)
}
