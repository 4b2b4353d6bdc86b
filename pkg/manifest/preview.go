package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	goyaml "go.yaml.in/yaml/v2"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Preview is Version for people to read, before or without any lookup: the objects show what goes where instead of values, as
// "<secret checkout/db password>" or "<param limit | int>". It refuses what Version refuses, except that it cannot judge an image
// that is looked up.
func (r *Rendered) Preview(req VersionRequest) (*Objects, error) {
	objs := make([]*unstructured.Unstructured, len(r.objects))
	for i, o := range r.objects {
		objs[i] = o.Unstructured
	}
	req.preview = r.ledger
	out, err := Version(objs, req)
	if err != nil {
		return nil, r.ledger.describeError(err)
	}
	for _, o := range out.all() {
		o.Object = r.ledger.show(o.Object).(map[string]any)
	}
	return out, nil
}

// show copies value with every token replaced by what people call it.
func (l *ledger) show(value any) any {
	switch v := value.(type) {
	case string:
		return l.tokens.ReplaceAllStringFunc(v, func(token string) string {
			parts, err := l.split(token)
			if err != nil {
				return "<damaged>" // Render refuses such text.
			}
			return l.showHole(*parts[0].hole)
		})
	case []any:
		items := make([]any, len(v))
		for i, item := range v {
			items[i] = l.show(item)
		}
		return items
	case map[string]any:
		fields := make(map[string]any, len(v))
		for key, field := range v {
			fields[key] = l.show(field)
		}
		return fields
	}
	return value
}

func (l *ledger) showHole(h hole) string {
	if h.of == "" {
		return "<" + strings.TrimSpace(fmt.Sprintf("%s %s %s", h.ref.Kind, h.ref.ID, h.ref.Key)) + ">"
	}
	inner := l.show(h.of).(string)
	if parts, err := l.split(h.of); err == nil && len(parts) == 1 {
		inner = strings.TrimSuffix(strings.TrimPrefix(inner, "<"), ">")
	} else {
		inner = fmt.Sprintf("%q", inner)
	}
	function, _, _ := strings.Cut(string(h.with), " ")
	return fmt.Sprintf("<%s | %s>", inner, function)
}

// all are all objects, in the order they are applied.
func (o *Objects) all() []*unstructured.Unstructured {
	return slices.Concat(o.Cluster, o.Versioned, o.Shared, o.Services)
}

// YAML is the objects as one stream of documents.
func (o *Objects) YAML() (string, error) {
	all := o.all()
	texts, errs := make([][]byte, len(all)), make([]error, len(all))
	onAllCores(len(all), func(i int) {
		var err error
		if texts[i], err = goyaml.Marshal(all[i].Object); err != nil {
			errs[i] = fmt.Errorf("writing %s: %w", subject(all[i]), err)
		}
	})
	return string(bytes.Join(texts, []byte("---\n"))), errors.Join(errs...)
}
