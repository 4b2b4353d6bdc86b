package manifest

import (
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
)

// checker compares one object with the fields that Kubernetes knows. Kinds of others, such as custom resources, are left to the
// API server.
type checker struct {
	ledger *ledger
	types  map[string]map[string]string
	object object
	// wrong are values of the wrong type: no version of Kubernetes takes them. unknown are fields that a newer one may have.
	wrong, unknown []error
}

// check checks all objects.
func check(l *ledger, objects []object) (wrong, unknown []error) {
	c := checker{ledger: l, types: map[string]map[string]string{}}
	for _, o := range objects {
		c.object = o
		if kind := typeOf(o.GroupVersionKind()); c.fields(kind) != nil {
			c.value(o.Object, kind, nil)
		}
	}
	return c.wrong, c.unknown
}

func (c *checker) fields(kind string) map[string]string {
	fields, known := c.types[kind]
	if !known {
		fields, _ = fieldsOf(kind)
		c.types[kind] = fields
	}
	return fields
}

// value checks a value against a type of the table. null is nothing, everywhere.
func (c *checker) value(value any, kind string, path []string) {
	if value == nil || kind == "any" {
		return
	}
	if of, ok := strings.CutPrefix(kind, "[]"); ok {
		items, ok := value.([]any)
		if !ok {
			c.mistype(value, "a list", path)
		}
		for i, item := range items {
			c.value(item, of, append(path[:len(path):len(path)], strconv.Itoa(i)))
		}
		return
	}
	if of, ok := strings.CutPrefix(kind, "map "); ok {
		c.mapping(value, nil, of, path)
		return
	}
	if fields := c.fields(kind); fields != nil {
		c.mapping(value, fields, "", path)
		return
	}
	if want := c.scalar(value, kind); want != "" {
		c.mistype(value, want, path)
	}
}

// mapping checks the fields of an object, or the values of a map when of names their type.
func (c *checker) mapping(value any, fields map[string]string, of string, path []string) {
	entries, ok := value.(map[string]any)
	if !ok {
		c.mistype(value, "a mapping", path)
		return
	}
	for _, key := range slices.Sorted(maps.Keys(entries)) {
		field, known := fields[key]
		switch at := slices.Concat(path, []string{key}); {
		case of != "":
			c.value(entries[key], of, at)
		case known:
			c.value(entries[key], field, at)
		default:
			c.unknown = append(c.unknown, c.problem(at, fmt.Sprintf("there is no field %q in %s%s", key, place(path), alike(key, fields))))
		}
	}
}

// scalar says what is wanted instead of value, or "" when it fits.
func (c *checker) scalar(value any, kind string) string {
	text, isText := value.(string)
	number := func(whole bool) bool {
		switch v := value.(type) {
		case int64:
			return true
		case float64:
			return !whole || v == math.Trunc(v)
		}
		return isText && c.becomesNumber(text)
	}
	fits, want := false, ""
	switch kind {
	case "string":
		fits, want = isText && !c.becomesNumber(text), "text"
	case "bool":
		_, fits = value.(bool)
		want = "true or false"
	case "int":
		fits, want = number(true), "a whole number"
	case "float":
		fits, want = number(false), "a number"
	case "int or string":
		fits, want = isText || number(true), "a whole number or text"
	case "quantity":
		_, err := resource.ParseQuantity(text)
		fits, want = isText && (err == nil || c.ledger.holds(text)) || number(false), "a quantity such as 500m or 64Mi"
	case "time":
		_, err := time.Parse(time.RFC3339, text)
		fits, want = isText && (err == nil || c.ledger.holds(text)), "a time such as 2006-01-02T15:04:05Z"
	case "bytes":
		_, err := base64.StdEncoding.DecodeString(text)
		fits, want = isText && (err == nil || c.ledger.holds(text)), "base64 (use b64enc, or stringData for plain text)"
	}
	if fits {
		return ""
	}
	return want
}

// becomesNumber says whether text is one placeholder that int or float64 made a number.
func (c *checker) becomesNumber(text string) bool {
	if !c.ledger.holds(text) {
		return false
	}
	parts, err := c.ledger.split(text)
	return err == nil && len(parts) == 1 && textForms[parts[0].hole.with] != asIs
}

func (c *checker) mistype(value any, want string, path []string) {
	have, hint := "a mapping", ""
	switch v := value.(type) {
	case []any:
		have = "a list"
	case bool:
		have, hint = "true or false", "; quote it"
	case int64, float64:
		have, hint = "a number", "; quote it"
	case string:
		switch have = "text"; {
		case c.becomesNumber(v):
			have, hint = c.ledger.describe(v)+" as a number", "; add | quote"
		case c.ledger.holds(v):
			have = c.ledger.describe(v)
			if strings.HasSuffix(want, "number") {
				hint = "; add | int or | float64"
			}
		case strings.HasPrefix(want, "base64"), strings.HasPrefix(want, "a quantity"), strings.HasPrefix(want, "a time"):
			have = "other text"
		}
	}
	if want != "text" && hint == "; quote it" {
		hint = ""
	}
	c.wrong = append(c.wrong, c.problem(path, fmt.Sprintf("%s must be %s, and is %s%s", place(path), want, have, hint)))
}

func (c *checker) problem(path []string, text string) error {
	return fmt.Errorf("%s: %s: %s", c.object.at.field(place(path)), subject(c.object.Unstructured), text)
}

// alike suggests the field that was meant: the same but for case, or one letter away.
func alike(key string, fields map[string]string) string {
	for _, distance := range []int{0, 1, 2} {
		for _, field := range slices.Sorted(maps.Keys(fields)) {
			if near := apart(strings.ToLower(key), strings.ToLower(field)); near == distance && near*3 <= len(field) {
				return fmt.Sprintf("; did you mean %q?", field)
			}
		}
	}
	return ""
}

// apart is how many letters must be put in, taken out or replaced to make b of a.
func apart(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}

// Unknown returns an error that names every field that Kubernetes up to 1.KubernetesMinor does not have, with the line of the
// template. Only on a newer cluster could such a field be right; there the API server decides.
func (r *Rendered) Unknown() error {
	if len(r.unknown) == 0 {
		return nil
	}
	return errors.Join(r.unknown...)
}
