package manifest

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
)

// maxSteps bounds how often templates write, loop or call each other. A loop that writes nothing would else never end.
const maxSteps = 2_000_000

var (
	errTooLong   = fmt.Errorf("the templates take more than %d million steps; is there a range that does not end?", maxSteps/1_000_000)
	errTooHeavy  = fmt.Errorf("more than %d MiB", maxRendered>>20)
	errEndlessly = errors.New("a number beyond what can be counted to")
)

// weigh subtracts the size of a value from what is left: each text and list as often as it is in there. A list can hold another one
// twice, which holds a third one twice, so that counting them needs an end too.
func weigh(v reflect.Value, left *int, depth int) error {
	const each = 8
	if *left -= each; *left < 0 {
		return errTooHeavy
	}
	if depth > maxNesting {
		return nil // contains tells.
	}
	switch v.Kind() {
	case reflect.String:
		if *left -= v.Len(); *left < 0 {
			return errTooHeavy
		}
	case reflect.Interface, reflect.Pointer:
		if !v.IsNil() {
			return weigh(v.Elem(), left, depth+1)
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			if err := weigh(v.Index(i), left, depth+1); err != nil {
				return err
			}
		}
	case reflect.Map:
		for entries := v.MapRange(); entries.Next(); {
			if err := errors.Join(weigh(entries.Key(), left, depth+1), weigh(entries.Value(), left, depth+1)); err != nil {
				return err
			}
		}
	}
	return nil
}

// affordable refuses values that are too large, for what goes into a function and what comes out.
func affordable(values ...any) error {
	left := maxRendered
	for _, value := range values {
		if err := weigh(reflect.ValueOf(value), &left, 0); err != nil {
			return err
		}
	}
	return nil
}

// growing are the functions that give far more than they get, with how many bytes that would be.
var growing = map[string]func(in []reflect.Value) float64{
	"until":     func(in []reflect.Value) float64 { return 8 * counted(in[0]) },
	"untilStep": func(in []reflect.Value) float64 { return 8 * between(in[0], in[1], in[2]) },
	"seq": func(in []reflect.Value) float64 {
		switch len(in) {
		case 1:
			return 20 * counted(in[0])
		case 2:
			return 20 * (counted(in[0]) + counted(in[1]))
		case 3:
			return 20 * between(in[0], in[2], in[1])
		}
		return 0
	},
	"repeat":  func(in []reflect.Value) float64 { return counted(in[0]) * float64(in[1].Len()) },
	"indent":  indented,
	"nindent": indented,
	"replace": func(in []reflect.Value) float64 {
		return float64(strings.Count(in[2].String(), in[0].String())) * float64(in[1].Len())
	},
	"join": func(in []reflect.Value) float64 {
		items := in[1]
		for items.Kind() == reflect.Interface {
			items = items.Elem()
		}
		if items.Kind() != reflect.Slice {
			return 0
		}
		return float64(items.Len()) * float64(in[0].Len())
	},
	"regexReplaceAll": replacedByPattern, "mustRegexReplaceAll": replacedByPattern,
	"regexReplaceAllLiteral": replacedByPattern, "mustRegexReplaceAllLiteral": replacedByPattern,
	"wrapWith": func(in []reflect.Value) float64 { return float64(in[2].Len()) * float64(in[1].Len()) },
}

// counted is how far is counted. sprig's loops would run past the largest number and begin anew.
func counted(n reflect.Value) float64 {
	if far := math.Abs(float64(n.Int())); far < 1<<53 {
		return far
	}
	return math.Inf(1)
}

func between(start, stop, step reflect.Value) float64 {
	if math.IsInf(counted(step), 1) {
		return counted(step)
	}
	return (counted(start) + counted(stop)) / math.Max(1, counted(step))
}

func indented(in []reflect.Value) float64 {
	text := in[1]
	for text.Kind() == reflect.Interface {
		text = text.Elem()
	}
	if text.Kind() != reflect.String { // a placeholder, or a mistake
		return counted(in[0])
	}
	return counted(in[0]) * float64(1+strings.Count(text.String(), "\n"))
}

// replacedByPattern is the worst case: the pattern matches between all characters, and the replacement names what was matched.
func replacedByPattern(in []reflect.Value) float64 {
	return float64(in[1].Len()+1) * float64(in[2].Len())
}

// wouldGrow refuses a call whose result would be too large, before it is made.
func (g guard) wouldGrow(in []reflect.Value) error {
	size := growing[g.name]
	if size == nil {
		return nil
	}
	switch bytes := size(in); {
	case math.IsInf(bytes, 1) || math.IsNaN(bytes):
		return fmt.Errorf("%s: %w", g.name, errEndlessly)
	case bytes > maxRendered:
		return fmt.Errorf("%s would give %w", g.name, errTooHeavy)
	}
	return nil
}
