package manifest

import (
	"strconv"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/yaml"
)

// position is where an object stands: its document in a sheet, the line of its first content, and the path to it when it is an
// item of a List.
type position struct {
	sheet    *sheet
	document document
	line     int // in the sheet, from 1
	items    []string
}

// String is the place of the object in the templates.
func (p position) String() string { return p.sheet.locate(p.line) }

// field names the place of a field, or of the deepest part of its path that is there. The path is as this package or as the API
// server writes it: .spec.containers[0].image, spec.ports[name="http"].port, metadata.labels[app.kubernetes.io/name].
func (p position) field(path string) string {
	place, _ := p.fieldLine(path)
	return place
}

// fieldLine is field, with the line in the sheet.
func (p position) fieldLine(path string) (where string, line int) {
	var root yaml.Node
	if err := yaml.Unmarshal([]byte(p.document.text), &root); err != nil || len(root.Content) != 1 {
		return p.String(), p.line // It was parsed before, by another parser; the object's own line is still right.
	}
	if len(p.items) > 0 {
		path = place(p.items) + "." + strings.TrimPrefix(path, ".")
	}
	within := follow(root.Content[0], path, 0)
	if within == 0 {
		return p.String(), p.line
	}
	line = p.document.line + within - 1
	return p.sheet.locate(line), line
}

// follow walks a path and returns the line of the last part that is there. A key may hold dots, so the longest one that fits is
// taken.
func follow(node *yaml.Node, path string, line int) int {
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	path = strings.TrimLeft(path, ".")
	if path == "" {
		return line
	}
	if node.Kind == yaml.SequenceNode {
		selector, rest, ok := bracket(path)
		if !ok {
			return line
		}
		for i, item := range node.Content {
			if selects := strings.Contains(selector, "="); selects && chosen(item, selector) || !selects && selector == strconv.Itoa(i) {
				return follow(item, rest, item.Line)
			}
		}
		return line
	}
	if node.Kind != yaml.MappingNode {
		return line
	}
	inside, after, bracketed := bracket(path)
	var value *yaml.Node
	best, rest := "", ""
	for i := 0; i+1 < len(node.Content); i += 2 {
		key := node.Content[i].Value
		behind, ok := strings.CutPrefix(path, key)
		switch {
		case bracketed && strings.Trim(inside, `"`) == key:
			behind = after
		case !ok || behind != "" && behind[0] != '.' && behind[0] != '[' || key == "" || len(key) <= len(best):
			continue
		}
		best, rest, value, line = key, behind, node.Content[i+1], node.Content[i].Line
	}
	if value == nil {
		return line
	}
	return follow(value, rest, line)
}

// bracket cuts "[…]" from the front of a path.
func bracket(path string) (inside, rest string, ok bool) {
	if !strings.HasPrefix(path, "[") {
		return "", "", false
	}
	quoted := false
	for i, r := range path {
		switch {
		case r == '"':
			quoted = !quoted
		case r == ']' && !quoted:
			return path[1:i], path[i+1:], true
		}
	}
	return "", "", false
}

// chosen says whether an item of a list has all the fields of a selector: name="web",protocol="TCP", or ="web" for a text.
func chosen(item *yaml.Node, selector string) bool {
	for _, part := range strings.Split(selector, ",") {
		field, want, _ := strings.Cut(part, "=")
		want = strings.Trim(want, `"`)
		if field == "" {
			if item.Value != want {
				return false
			}
			continue
		}
		have := ""
		for i := 0; i+1 < len(item.Content) && item.Kind == yaml.MappingNode; i += 2 {
			if item.Content[i].Value == field {
				have = item.Content[i+1].Value
			}
		}
		// The API server selects by defaults too, which the template need not have.
		if have != want && (have != "" || field != "protocol") {
			return false
		}
	}
	return true
}

// shorten keeps a quoted line readable; 80 characters show which one it is.
func shorten(line string) string {
	if runes := []rune(line); len(runes) > 80 {
		return string(runes[:80]) + "…"
	}
	return line
}
