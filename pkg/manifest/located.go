package manifest

import (
	"regexp"
	"slices"
	"strings"
)

// fieldPath is how the API server writes the path of a field: with or without a dot before it, lists by index, by key, or by the
// fields that make an item itself.
var fieldPath = regexp.MustCompile(`(?:^|[\s".(])([a-zA-Z]+(?:\.[\w/-]+|\[[^\]\n]*\])+)`)

// Locate names the places in the templates, "file:line, file:line", of the fields that an error about an object speaks of, and
// the object's own place when it names none that is there. The name may be a versioned one, ending with the release. It returns
// "" for an object that is not from the templates.
func (r *Rendered) Locate(kind, name, release string, err error) string {
	at := slices.IndexFunc(r.objects, func(o object) bool {
		return o.GetKind() == kind && (o.GetName() == name || o.GetName()+"-"+release == name)
	})
	if at < 0 {
		return ""
	}
	o := r.objects[at]
	type found struct {
		place string
		line  int
	}
	var all []found
	for _, match := range fieldPath.FindAllStringSubmatch(err.Error(), -1) {
		first, _, _ := strings.Cut(match[1], ".")
		first, _, _ = strings.Cut(first, "[")
		if _, ok := o.Object[first]; ok {
			place, line := o.at.fieldLine(match[1])
			all = append(all, found{place, line})
		}
	}
	slices.SortStableFunc(all, func(a, b found) int { return a.line - b.line })
	var places []string
	for _, f := range all {
		places = append(places, f.place)
	}
	if len(places) == 0 {
		return o.at.String()
	}
	return strings.Join(slices.Compact(places), ", ")
}
