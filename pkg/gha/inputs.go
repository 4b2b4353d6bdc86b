package gha

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Inputs reads the action's inputs and gathers what is wrong with them. Each getter gives a usable value even after a
// problem, so that all are found before anything is touched; look at [Inputs.Err] once, at the end.
type Inputs struct {
	action   *Action
	problems []string
}

// Inputs gives a fresh reader of the inputs.
func (a *Action) Inputs() *Inputs { return &Inputs{action: a} }

// InputError is everything that is wrong with the inputs.
type InputError struct {
	// Problems are sentences, each begins with the name of its input.
	Problems []string
}

func (e *InputError) Error() string {
	if len(e.Problems) == 1 {
		return "reading inputs: " + e.Problems[0]
	}
	return fmt.Sprintf("reading inputs: %d problems:\n- %s", len(e.Problems), strings.Join(e.Problems, "\n- "))
}

// value is the trimmed text of an input; unset and empty are the same, since a composite's env maps unset inputs to "".
func (in *Inputs) value(name string) string {
	// Hyphens are legal in GitHub's inputs but not in the names of environment variables that a shell passes on.
	return in.action.inner.GetInput(strings.ReplaceAll(name, "-", "_"))
}

// String gives an input's text, or fallback when it is not set.
func (in *Inputs) String(name, fallback string) string {
	if value := in.value(name); value != "" {
		return value
	}
	return fallback
}

// Required gives an input's text; not to set it is a problem, and hint says what to set it to.
func (in *Inputs) Required(name, hint string) string {
	value := in.value(name)
	if value == "" {
		in.Problem(name, "is required: %s", hint)
	}
	return value
}

// Secret is [Inputs.Required] for what nobody may see: it is masked before anything else is done with it.
func (in *Inputs) Secret(name, hint string) string {
	value := in.Required(name, hint)
	in.action.Mask(value)
	return value
}

// Bool reads true or false in any case, as YAML 1.2 spells them.
func (in *Inputs) Bool(name string, fallback bool) bool {
	switch value := in.value(name); strings.ToLower(value) {
	case "":
		return fallback
	case "true":
		return true
	case "false":
		return false
	default:
		in.Problem(name, "is %q; set it to true or false", value)
		return fallback
	}
}

// Int reads a whole number between min and max, both included.
func (in *Inputs) Int(name string, fallback, min, max int) int {
	value := in.value(name)
	if value == "" {
		return fallback
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < min || n > max {
		in.Problem(name, "is %q; set it to a whole number from %d to %d", value, min, max)
		return fallback
	}
	return n
}

// Duration reads a time span such as 90s, 5m or 1h30m. Negative ones are a problem.
func (in *Inputs) Duration(name string, fallback time.Duration) time.Duration {
	value := in.value(name)
	if value == "" {
		return fallback
	}
	d, err := time.ParseDuration(value)
	if err != nil || d < 0 {
		in.Problem(name, "is %q; set it to a time span such as 90s or 5m", value)
		return fallback
	}
	return d
}

// List reads items that are separated by commas or newlines; empty ones are left out.
func (in *Inputs) List(name string, fallback ...string) []string {
	var items []string
	for _, item := range strings.FieldsFunc(in.value(name), func(r rune) bool { return r == ',' || r == '\n' }) {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	if len(items) == 0 {
		return fallback
	}
	return items
}

// OneOf reads a word of a fixed set; any other is a problem that lists the set.
func (in *Inputs) OneOf(name, fallback string, allowed ...string) string {
	value := in.value(name)
	if value == "" {
		return fallback
	}
	if !slices.Contains(allowed, value) {
		in.Problem(name, "is %q; set it to one of: %s", value, strings.Join(allowed, ", "))
		return fallback
	}
	return value
}

// Problem adds something that the caller found wrong with an input; the text goes on after the input's name.
func (in *Inputs) Problem(name, format string, args ...any) {
	in.problems = append(in.problems, fmt.Sprintf("input %q ", name)+sprintf(format, args))
}

// Err gives all problems in one *InputError, or nil.
func (in *Inputs) Err() error {
	if len(in.problems) == 0 {
		return nil
	}
	return &InputError{Problems: slices.Clone(in.problems)}
}
