package cluster

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// Change is what applying an object would do.
type Change struct {
	Ref    ObjectRef
	Action Action
	// Diff has a line for each line of YAML that goes ("-"), comes ("+") or stands around a change (" "). The values of
	// Secrets, and what was filled into other objects, are masked.
	Diff string
}

// diffContext is how many unchanged lines are shown around a change.
const diffContext = 2

// diff compares an object before (nil: it does not exist) and after o was applied; "" when nothing that a person would write
// changes. Secrets are hidden where they were filled in, and taken out of everything else, before any of it becomes YAML: YAML
// folds, quotes and escapes, and a value would not be found in it.
func (c *Cluster) diff(o, before, after *unstructured.Unstructured, filled []Filled) string {
	shownBefore, shownAfter := c.conceal(o, before, filled), c.conceal(o, after, filled)
	text := diffObjects(shownBefore, shownAfter)
	if text == "" && before != nil && !slices.Equal(lines(before), lines(after)) {
		return "+(only secret values change)\n"
	}
	return c.redact(text)
}

// diffObjects compares two objects as they may be shown, but for the data of Secrets.
func diffObjects(before, after *unstructured.Unstructured) string {
	var from []string
	if before != nil {
		before, after = hideData(before, after)
		from = lines(before)
	} else {
		_, after = hideData(after, after)
	}
	return diffLines(from, lines(after))
}

// lines is the object as YAML, without what only the API server writes.
func lines(o *unstructured.Unstructured) []string {
	o = o.DeepCopy()
	delete(o.Object, "status")
	for _, f := range []string{"managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink"} {
		unstructured.RemoveNestedField(o.Object, "metadata", f)
	}
	// kubectl keeps the whole last manifest, values and all, in this annotation.
	unstructured.RemoveNestedField(o.Object, "metadata", "annotations", "kubectl.kubernetes.io/last-applied-configuration")
	// The lock's own mark is no change that a person made.
	unstructured.RemoveNestedField(o.Object, "metadata", "annotations", AnnotationToken)
	if len(o.GetAnnotations()) == 0 {
		unstructured.RemoveNestedField(o.Object, "metadata", "annotations")
	}
	text, err := yaml.Marshal(o.Object)
	if err != nil {
		return []string{fmt.Sprintf("(not YAML: %v)", err)}
	}
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
}

// hideData hides the values of Secrets, and says which of them change.
func hideData(before, after *unstructured.Unstructured) (maskedBefore, maskedAfter *unstructured.Unstructured) {
	if after.GetKind() != "Secret" {
		return before, after
	}
	maskedBefore, maskedAfter = before.DeepCopy(), after.DeepCopy()
	for _, field := range []string{"data", "stringData"} {
		was, _, _ := unstructured.NestedMap(before.Object, field)
		is, _, _ := unstructured.NestedMap(after.Object, field)
		for key := range was {
			_ = unstructured.SetNestedField(maskedBefore.Object, "(secret)", field, key)
		}
		for key, value := range is {
			text := "(secret)"
			if old, had := was[key]; had && old != value {
				text = "(secret, changed)"
			}
			_ = unstructured.SetNestedField(maskedAfter.Object, text, field, key)
		}
	}
	return maskedBefore, maskedAfter
}

// diffCells bounds the table of a comparison (32 MB); texts beyond it are shown as replaced.
const diffCells = 4 << 20

// diffLines is the longest-common-subsequence difference of two texts.
func diffLines(from, to []string) string {
	head := 0
	for head < min(len(from), len(to)) && from[head] == to[head] {
		head++
	}
	tail := 0
	for tail < min(len(from), len(to))-head && from[len(from)-1-tail] == to[len(to)-1-tail] {
		tail++
	}
	out := marked(" ", from[:head])
	out = append(out, diffMiddle(from[head:len(from)-tail], to[head:len(to)-tail])...)
	return around(append(out, marked(" ", from[len(from)-tail:])...))
}

func diffMiddle(from, to []string) []string {
	if len(from)*len(to) > diffCells {
		return append(marked("-", from), marked("+", to)...)
	}
	// common[i][j] is the length of the longest common subsequence of from[i:] and to[j:].
	common := make([][]int, len(from)+1)
	for i := range common {
		common[i] = make([]int, len(to)+1)
	}
	for i := len(from) - 1; i >= 0; i-- {
		for j := len(to) - 1; j >= 0; j-- {
			if from[i] == to[j] {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	var out []string
	for i, j := 0, 0; i < len(from) || j < len(to); {
		switch {
		case i < len(from) && j < len(to) && from[i] == to[j]:
			out, i, j = append(out, " "+from[i]), i+1, j+1
		case j == len(to) || i < len(from) && common[i+1][j] >= common[i][j+1]:
			out, i = append(out, "-"+from[i]), i+1
		default:
			out, j = append(out, "+"+to[j]), j+1
		}
	}
	return out
}

func marked(mark string, lines []string) []string {
	out := make([]string, len(lines))
	for i, line := range lines {
		out[i] = mark + line
	}
	return out
}

// around keeps the changes and a few lines on both sides of each.
func around(diff []string) string {
	keep := make([]bool, len(diff))
	changed := false
	for i, line := range diff {
		if line[0] == ' ' {
			continue
		}
		changed = true
		for k := max(0, i-diffContext); k <= min(len(diff)-1, i+diffContext); k++ {
			keep[k] = true
		}
	}
	if !changed {
		return ""
	}
	var b strings.Builder
	for i, line := range diff {
		if keep[i] {
			b.WriteString(line + "\n")
		} else if i > 0 && keep[i-1] {
			b.WriteString(" …\n")
		}
	}
	return strings.TrimSuffix(b.String(), " …\n")
}
