package show

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/org/promote/lab/load"
	"github.com/org/promote/pkg/report"
)

// colours is how many the page has for versions; a later version takes an earlier one's colour again.
const colours = 8

// longest bounds a text from outside, in characters.
const longest = 400

// plain is a text from outside on one line.
func plain(text string) string {
	r := []rune(report.Plain(text))
	if len(r) > longest {
		return string(r[:longest]) + "…"
	}
	return string(r)
}

// versions are what answered anywhere, in the order of their first answers: each has one colour on the whole page.
type versions struct {
	names []string
	acts  []Act
}

func newVersions(s Show) versions {
	first := map[string]time.Time{}
	for _, records := range s.Clients {
		for _, r := range records {
			if at, known := first[r.Version]; r.Version != "" && (!known || r.Time.Before(at)) {
				first[r.Version] = r.Time
			}
		}
	}
	v := versions{acts: s.Acts}
	for name := range first {
		v.names = append(v.names, name)
	}
	slices.SortFunc(v.names, func(a, b string) int { return cmp.Or(first[a].Compare(first[b]), strings.Compare(a, b)) })
	return v
}

// class is the version's colour.
func (v versions) class(name string) string {
	if i := slices.Index(v.names, name); i >= 0 {
		return fmt.Sprintf("v%d", i%colours)
	}
	return "none"
}

// of is the version of a release, whose id begins with the first characters of its commit; "" for one that never answered.
func (v versions) of(release string) string {
	for _, name := range v.names {
		if commit, _, _ := strings.Cut(release, "-"); len(commit) == 7 && strings.HasPrefix(name, commit) {
			return name
		}
	}
	return ""
}

// act is the pull request that a version comes from.
func (v versions) act(version string) (Act, bool) {
	i := slices.IndexFunc(v.acts, func(a Act) bool { return a.Number > 0 && version != "" && a.Commit == version })
	if i < 0 {
		return Act{}, false
	}
	return v.acts[i], true
}

// text names a version for people.
func (v versions) text(version string) string {
	if version == "" {
		return "no version"
	}
	if a, ok := v.act(version); ok {
		return fmt.Sprintf("#%d %s", a.Number, plain(short(version)))
	}
	return plain(short(version))
}

// short is what people call a commit; other names stay.
func short(version string) string {
	if len(version) == 40 {
		return version[:7]
	}
	return version
}

// cause is why a request failed.
func cause(r load.Record) string {
	if r.Error != "" {
		return plain(r.Error)
	}
	return fmt.Sprintf("status %d", r.Status)
}
