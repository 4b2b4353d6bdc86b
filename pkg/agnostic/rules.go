package agnostic

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Environments are the names that tell one environment from another, unless [Rules] has others.
var Environments = []string{
	"dev", "development", "test", "qa", "uat", "stage", "staging", "preprod", "prod", "production",
}

// Rules are what a user may set.
type Rules struct {
	// Environments are looked for as DNS labels, or parts of them, and as values; nil stands for [Environments].
	Environments []string
	// Allow covers what is meant to be there.
	Allow []Allowance
}

var environmentName = regexp.MustCompile(`^[a-z][a-z0-9]*$`)

// Check reports every environment name that cannot be part of a DNS label.
func (r Rules) Check() error {
	var problems []error
	for _, name := range r.Environments {
		if !environmentName.MatchString(name) {
			problems = append(problems, fmt.Errorf("reading environment name %q: it is not lower-case letters and digits, beginning with a letter", name))
		}
	}
	return errors.Join(problems...)
}

func (r Rules) environments() []string {
	if r.Environments == nil {
		return Environments
	}
	return r.Environments
}

// Allowance is one entry of an allow-list.
type Allowance struct {
	text string         // as it was written
	path *regexp.Regexp // nil for one of a variable
	kind Kind           // "" for all kinds
	name string         // of a variable
}

// ParseAllow reads an allow-list, one entry a line; empty lines and lines that begin with # say nothing.
//
//	app/testdata/**                 every finding in files below /app/testdata
//	**/*.pem:private-key            findings of one kind
//	fixture.env                     a file of that name in any folder
//	env:ENVIRONMENT                 an environment variable or build argument
//
// In a glob, * and ? stop at a slash and ** does not. Every bad line is reported.
func ParseAllow(text string) ([]Allowance, error) {
	var list []Allowance
	var problems []error
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		a, err := parseAllowance(line)
		if err != nil {
			problems = append(problems, fmt.Errorf("reading line %d of the allow-list: %w", i+1, err))
			continue
		}
		list = append(list, a)
	}
	return list, errors.Join(problems...)
}

var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]*$`)

func parseAllowance(line string) (Allowance, error) {
	if !utf8.ValidString(line) {
		return Allowance{}, fmt.Errorf("%q is no UTF-8, and a path that is can't be compared with it", line)
	}
	a := Allowance{text: line}
	if name, found := strings.CutPrefix(line, "env:"); found {
		if !variableName.MatchString(name) {
			return Allowance{}, fmt.Errorf("%q names no environment variable, as in env:NAME", line)
		}
		a.name = name
		return a, nil
	}
	glob := line
	if i := strings.LastIndexByte(line, ':'); i >= 0 {
		glob, a.kind = line[:i], Kind(line[i+1:])
		if !slices.Contains(Kinds(), a.kind) {
			return Allowance{}, unknownKind(string(a.kind))
		}
	}
	if strings.Trim(glob, "/*?") == "" && a.kind == "" {
		return Allowance{}, fmt.Errorf("%q covers everything; to switch the check off, set it to off", line)
	}
	a.path = globExpression(glob)
	return a, nil
}

// covers says whether a finding is meant to be there.
func (a Allowance) covers(f Finding) bool {
	if a.path == nil {
		return f.Path == "" && f.Name == a.name
	}
	return f.Path != "" && (a.kind == "" || a.kind == f.Kind) && a.path.MatchString(f.Path)
}

// globExpression turns a glob into an expression over absolute paths. One without a slash is a name in any folder.
func globExpression(glob string) *regexp.Regexp {
	var b strings.Builder
	b.WriteString(`^/`)
	if !strings.Contains(glob, "/") {
		b.WriteString(`(?:.*/)?`)
	}
	for rest := strings.TrimPrefix(glob, "/"); rest != ""; {
		switch {
		case strings.HasPrefix(rest, "**/"):
			b.WriteString(`(?:.*/)?`)
			rest = rest[3:]
		case strings.HasPrefix(rest, "**"):
			b.WriteString(`.*`)
			rest = rest[2:]
		case rest[0] == '*':
			b.WriteString(`[^/]*`)
			rest = rest[1:]
		case rest[0] == '?':
			b.WriteString(`[^/]`)
			rest = rest[1:]
		default:
			end := strings.IndexAny(rest, "*?")
			if end < 0 {
				end = len(rest)
			}
			b.WriteString(regexp.QuoteMeta(rest[:end]))
			rest = rest[end:]
		}
	}
	return regexp.MustCompile(`(?s)` + b.String() + `$`)
}
