package command

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/org/promote/pkg/hostile"
)

// FuzzParseNamed reads variables of any text: what is taken is read again as it was, and whatever it names, nothing that steers
// another step is passed on. Values may be secrets, so no error quotes one.
func FuzzParseNamed(f *testing.F) {
	for _, text := range hostile.Texts {
		if len(text) < 10_000 {
			f.Add(text)
		}
	}
	f.Add("DATABASE_URL, USER\n  ORDERS=1,2,3=x \n\nEMPTY=\nGITHUB_ENV=/x\nINPUT_A, BASH_ENV")
	f.Fuzz(func(t *testing.T, text string) {
		named := ParseNamed(text)
		if again := ParseNamed(strings.Join(named, "\n")); !slices.Equal(named, again) {
			t.Errorf("read again, it differs: %s", cmp.Diff(named, again))
		}
		size := 0
		for _, each := range named {
			name, value, given := strings.Cut(each, "=")
			if size += len(each); strings.ContainsAny(each, "\n") || !given && (name == "" || strings.Contains(name, ",")) {
				t.Errorf("%q is no entry", each)
			}
			if err := CheckNamed([]string{each}); err != nil && len(value) > 20 && !strings.Contains(name, value) && strings.Contains(err.Error(), value) {
				t.Errorf("the value stands in %q", err)
			}
		}
		if size > len(text) {
			t.Errorf("%d bytes became %d", len(text), size)
		}
		if CheckNamed(named) != nil {
			return
		}
		clean, _ := Environ(runner, named)
		inherited, _ := Inherit(runner, named, "t")
		for _, entry := range slices.Concat(clean, inherited) {
			if name, _, _ := strings.Cut(entry, "="); matchesAny(steering, name) {
				t.Errorf("%s is passed on", entry)
			}
		}
	})
}
