package cluster

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Filled is a place in an object that a secret was filled into. What stands there is not shown, neither the value that is
// applied, which may be too short to be found in a text, nor the one that was there before, which this run never knew.
type Filled struct {
	Kind, Name string
	// Path leads to it in the object as it is applied: keys of maps, and indices of lists.
	Path []string
	// Shown is what may be shown of it, such as "postgres://app:(secret checkout/db#password)@db".
	Shown string
}

// concealed is text that may be shown as it is.
type concealed string

const hiddenValue concealed = "(secret)"

// conceal gives a copy of an object as it may be shown. o is the object as it is applied.
func (c *Cluster) conceal(o, object *unstructured.Unstructured, filled []Filled) *unstructured.Unstructured {
	if object == nil {
		return nil
	}
	var shown any = object.DeepCopy().Object
	for _, f := range filled {
		if f.Kind == o.GetKind() && f.Name == o.GetName() {
			shown = cover(shown, o.Object, f.Path, concealed(f.Shown))
		}
	}
	return &unstructured.Unstructured{Object: c.clean(shown).(map[string]any)}
}

// cover replaces what stands at path in node by shown, if it is what applied has there, and hides it if not.
func cover(node, applied any, path []string, shown concealed) any {
	if _, done := node.(concealed); done {
		return node
	}
	if len(path) == 0 {
		text, isText := node.(string)
		switch {
		case fmt.Sprint(node) == fmt.Sprint(applied):
			return shown
		case isText:
			return alike(text, string(shown))
		}
		return hiddenValue
	}
	switch n := node.(type) {
	case map[string]any:
		fields, _ := applied.(map[string]any)
		if field, ok := n[path[0]]; ok {
			n[path[0]] = cover(field, fields[path[0]], path[1:], shown)
		}
		return n
	case []any:
		items, _ := applied.([]any)
		if at, err := strconv.Atoi(path[0]); err == nil && at < len(items) {
			return coverItem(n, items, at, path[1:], shown)
		}
	}
	return hiddenValue
}

// coverItem covers the item of a list that is applied as items[at]. Lists grow and change their order in the cluster: an item
// is known by its name, and where items have none, every one is hidden that is not just as another that is applied.
func coverItem(list, items []any, at int, path []string, shown concealed) []any {
	name := nameOf(items[at])
	for i, item := range list {
		switch {
		case name != "":
			if nameOf(item) != name {
				continue
			}
		case !reflect.DeepEqual(item, items[at]) && isOneOf(item, items):
			continue
		}
		list[i] = cover(item, items[at], path, shown)
	}
	return list
}

func nameOf(item any) string {
	fields, _ := item.(map[string]any)
	name, _ := fields["name"].(string)
	return name
}

func isOneOf(item any, items []any) bool {
	for _, other := range items {
		if reflect.DeepEqual(item, other) {
			return true
		}
	}
	return false
}

// alike hides the lines of text that are no lines of what may be shown.
func alike(text, shown string) concealed {
	known := map[string]bool{}
	for _, line := range strings.Split(shown, "\n") {
		known[line] = true
	}
	var lines []string
	for _, line := range strings.Split(text, "\n") {
		switch {
		case known[line]:
			lines = append(lines, line)
		case len(lines) == 0 || lines[len(lines)-1] != string(hiddenValue): // how many there are says something too
			lines = append(lines, string(hiddenValue))
		}
	}
	return concealed(strings.Join(lines, "\n"))
}

// clean takes secrets out of every string, and makes strings of what is concealed.
func (c *Cluster) clean(value any) any {
	switch v := value.(type) {
	case concealed:
		return string(v)
	case string:
		return c.redact(v)
	case []any:
		for i, item := range v {
			v[i] = c.clean(item)
		}
	case map[string]any:
		for key, field := range v {
			v[key] = c.clean(field)
		}
	}
	return value
}
