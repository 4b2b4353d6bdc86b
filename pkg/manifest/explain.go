package manifest

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// The shapes of text/template's errors, which it offers as text only:
//
//	template: app.yaml:3: function "foo" not defined
//	template: app.yaml:3:12: executing "app.yaml" at <.Values.foo>: map has no entry for key "foo"
//	template: app.yaml:2:4: executing "app.yaml" at <include "x" .>: error calling include: template: _x.tpl:1:2: executing …
var (
	execShape    = regexp.MustCompile(`(?s)^template: (.*?):(\d+):(\d+): executing ".*?" at <(.*?)>: (.*)$`)
	includeShape = regexp.MustCompile(`(?s)^error calling include: (template: .*)$`)
	missingShape = regexp.MustCompile(`^map has no entry for key "(.*)"$`)
	callShape    = regexp.MustCompile(`(?s)^error calling \S+: (.*)$`)
)

// explain turns an error of text/template into "file:line:column: {{ what }}: why", innermost place first.
func explain(err error, data map[string]any) error {
	text := err.Error()
	var outer []string
	for {
		found := execShape.FindStringSubmatch(text)
		if found == nil {
			text = strings.TrimPrefix(text, "template: ")
			break
		}
		place, node, why := fmt.Sprintf("%s:%s:%s", found[1], found[2], found[3]), found[4], found[5]
		if inner := includeShape.FindStringSubmatch(why); inner != nil {
			outer = append([]string{place}, outer...)
			text = inner[1]
			continue
		}
		if strings.HasPrefix(node, decider+" ") { // The reason names what is decided.
			text = fmt.Sprintf("%s: %s", place, reason(node, why, data))
			break
		}
		text = fmt.Sprintf("%s: {{ %s }}: %s", place, node, reason(node, why, data))
		break
	}
	for _, place := range outer {
		text += ", included at " + place
	}
	return errors.New(text)
}

// reason says why a node failed, in the words of this package.
func reason(node, why string, data map[string]any) string {
	if missing := missingShape.FindStringSubmatch(why); missing != nil {
		return fmt.Sprintf("there is no %q%s", missing[1], siblings(node, data))
	}
	if strings.Contains(why, "manifest.Opaque") {
		function, _, _ := strings.Cut(node, " ")
		return refusal(function).Error()
	}
	if call := callShape.FindStringSubmatch(why); call != nil {
		return call[1]
	}
	return why
}

// siblings lists the names that do exist where node looked for one.
func siblings(node string, data map[string]any) string {
	at := data
	for _, name := range strings.Split(strings.TrimPrefix(strings.TrimPrefix(node, "$"), "."), ".") {
		next, ok := at[name].(map[string]any)
		if !ok {
			break
		}
		at = next
	}
	if !strings.HasPrefix(strings.TrimPrefix(node, "$"), ".") || len(at) == 0 {
		return ""
	}
	return "; there is " + strings.Join(slices.Sorted(maps.Keys(at)), ", ")
}

// describeError replaces the tokens in an error's text by what they stand for. The error was made to be read, not branched on.
func (l *ledger) describeError(err error) error {
	if err == nil || !l.holds(err.Error()) {
		return err
	}
	return errors.New(l.describe(err.Error()))
}
