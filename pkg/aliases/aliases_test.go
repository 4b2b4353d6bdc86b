package aliases_test

import (
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/org/promote/pkg/aliases"
	"github.com/org/promote/pkg/hostile"
)

func TestCheck(t *testing.T) {
	long := strings.Repeat("x", 1000)
	for name, test := range map[string]struct{ text, want string }{
		"no alias":                       {"cron: '*/5 * * * *'\nshell: a && b\nglob: \"*.go\"", ""},
		"aliases that fit":               {"a: &a " + long + "\nb: [*a, *a, *a]", ""},
		"aliases that do not":            {"a: &a " + long + "\nb: [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a]", "stand for more than"},
		"aliases of aliases":             {"a: &a [" + strings.Repeat("x, ", 20) + "]\nb: &b [" + strings.Repeat("*a, ", 20) + "]\nc: [" + strings.Repeat("*b, ", 20) + "]", "stand for more than"},
		"an alias in what it is of":      {"a: &a [*a]", "more than"},
		"an alias as a key":              {"? &a " + long + "\n: [{*a : 1}, {*a : 1}, {*a : 1}, {*a : 1}, {*a : 1}, {*a : 1}, {*a : 1}, {*a : 1}, {*a : 1}, {*a : 1}, {*a : 1}]", "stand for more than"},
		"text that does not read":        {"a: &a [*a", "line"},
		"an alias of nothing":            {"a: *b\nc: &d 1", "unknown anchor"},
		"text without alias is not read": {"a: [", ""},
	} {
		t.Run(name, func(t *testing.T) {
			err := aliases.Check([]byte(test.text), 10_000)
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

// FuzzCheck looks for documents that unfold to more than was let through.
func FuzzCheck(f *testing.F) {
	for _, text := range hostile.Texts {
		f.Add([]byte(text))
	}
	f.Add([]byte("a: &a [x, x]\nb: &b [*a, *a]\nc: {<<: &m {d: *b}, e: *m}"))
	const most = 4 << 10
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<10 || aliases.Check(data, most) != nil {
			return
		}
		var value any
		if yaml.Unmarshal(data, &value) != nil {
			return
		}
		// Quotes and escapes make of each byte six at the most.
		if size := length(value); size > 2*most {
			t.Errorf("%d bytes unfold to %d", len(data), size)
		}
	})
}

func length(value any) int {
	switch v := value.(type) {
	case string:
		return len(v)
	case []any:
		n := 0
		for _, each := range v {
			n += length(each)
		}
		return n
	case map[string]any:
		n := 0
		for key, each := range v {
			n += len(key) + length(each)
		}
		return n
	case map[any]any:
		n := 0
		for key, each := range v {
			n += length(key) + length(each)
		}
		return n
	}
	return 0
}
