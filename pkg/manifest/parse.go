package manifest

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// parseSheets parses the documents of rendered files. The objects that could be parsed are returned with the error.
func parseSheets(sheets []*sheet) ([]object, error) {
	var at []position
	for _, s := range sheets {
		for _, document := range split(s.String()) {
			at = append(at, position{sheet: s, document: document, line: document.line})
		}
	}
	found, problems := make([][]object, len(at)), make([]error, len(at))
	onAllCores(len(at), func(i int) { found[i], problems[i] = parseDocument(at[i]) })
	return slices.Concat(found...), errors.Join(problems...)
}

// parseDocument parses one document; one of only comments and blanks, as an {{ if }} around a document leaves them, has no object.
func parseDocument(at position) ([]object, error) {
	parsed, err := parseYAML([]byte(at.document.text))
	if err != nil {
		return nil, yamlError(at, err)
	}
	if parsed == nil {
		return nil, nil
	}
	at.line = firstContent(at.document)
	return asObjects(parsed, at)
}

// document is a YAML document and its first line in the rendered text, from 1.
type document struct {
	text string
	line int
}

// split cuts text at the lines that start or end a document. Such a line at column 0 separates documents even inside a block
// scalar, so no parsing is needed to find them.
func split(text string) []document {
	var documents []document
	var lines []string
	first := 1
	flush := func(next int) {
		if strings.TrimSpace(strings.Join(lines, "")) != "" {
			documents = append(documents, document{text: strings.Join(lines, "\n"), line: first})
		}
		lines, first = nil, next
	}
	for i, line := range strings.Split(text, "\n") {
		marker := strings.TrimRight(line, " \t\r")
		switch {
		case marker == "...":
			flush(i + 2)
			continue
		case marker == "---" || strings.HasPrefix(line, "--- ") || strings.HasPrefix(line, "---\t"):
			flush(i + 1)
		}
		lines = append(lines, line)
	}
	flush(0)
	return documents
}

// firstContent is the line, from 1 in the rendered text, of the first line that is neither blank, comment nor separator.
func firstContent(d document) int {
	for i, line := range strings.Split(d.text, "\n") {
		line = strings.TrimSpace(line)
		if line != "" && line != "---" && !strings.HasPrefix(line, "#") {
			return d.line + i
		}
	}
	return d.line
}

// asObjects turns a parsed document into objects; a List gives its items.
func asObjects(parsed any, at position) ([]object, error) {
	fields, ok := parsed.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%s: a Kubernetes object is a mapping with apiVersion and kind, this document is not a mapping", at)
	}
	o := object{Unstructured: &unstructured.Unstructured{Object: fields}, at: at}
	if o.GetKind() == "List" && o.GetAPIVersion() == "v1" {
		items, _ := fields["items"].([]any)
		var objects []object
		var problems []error
		for i, item := range items {
			each := at
			each.items = slices.Concat(at.items, []string{"items", strconv.Itoa(i)})
			found, err := asObjects(item, each)
			objects = append(objects, found...)
			problems = append(problems, err)
		}
		return objects, errors.Join(problems...)
	}
	var missing []string
	for _, field := range []struct{ name, value string }{
		{"apiVersion", o.GetAPIVersion()}, {"kind", o.GetKind()}, {"metadata.name", o.GetName()},
	} {
		if field.value == "" {
			missing = append(missing, field.name)
		}
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("%s: the object has no %s (a text of its own is needed there)", at, strings.Join(missing, ", "))
	}
	return []object{o}, nil
}

var yamlLine = regexp.MustCompile(`^line (\d+): `)

// yamlError places a YAML error in the file. The parser counts lines from the document's start, and gives one error or a list.
func yamlError(at position, err error) error {
	text := strings.TrimPrefix(err.Error(), "error converting YAML to JSON: ")
	text = strings.TrimPrefix(strings.TrimPrefix(text, "yaml: "), "unmarshal errors:\n")
	var problems []error
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		place := at.String()
		if found := yamlLine.FindStringSubmatch(line); found != nil {
			if number, convErr := strconv.Atoi(found[1]); convErr == nil {
				place = at.sheet.locate(at.line + number - 1)
			}
			line = line[len(found[0]):]
		}
		problems = append(problems, fmt.Errorf("%s: parsing YAML: %s", place, line))
	}
	return errors.Join(problems...)
}
