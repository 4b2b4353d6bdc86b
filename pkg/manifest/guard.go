package manifest

import (
	"errors"
	"fmt"
	"reflect"
	"text/template"
)

// maxNesting bounds the search for placeholders in an argument. A dict can be put into itself.
const maxNesting = 64

// guardAll wraps the functions of table so that each checks its arguments itself. text/template's own errors about arguments
// name the argument and not the function. Of the functions in strict no argument may be or contain a placeholder; the others
// say so for themselves where their parameters are of any type.
func guardAll(table template.FuncMap, strict map[string]bool) template.FuncMap {
	guarded := template.FuncMap{}
	for name, function := range table {
		g := guard{name: name, function: reflect.ValueOf(function), strict: strict[name]}
		guarded[name] = g.call
	}
	return guarded
}

// guard is one function that is called through it.
type guard struct {
	name     string
	function reflect.Value
	strict   bool
}

func (g guard) call(args ...any) (any, error) {
	kind := g.function.Type()
	least := kind.NumIn()
	if kind.IsVariadic() {
		least--
	}
	if len(args) < least || len(args) > least && !kind.IsVariadic() {
		return nil, fmt.Errorf("wrong number of args for %s: want %d, got %d", g.name, least, len(args))
	}
	if err := affordable(args...); err != nil {
		return nil, fmt.Errorf("%s is given %w", g.name, err)
	}
	in := make([]reflect.Value, len(args))
	for i, arg := range args {
		wanted := kind.In(min(i, kind.NumIn()-1))
		if i >= least {
			wanted = wanted.Elem()
		}
		var err error
		if in[i], err = g.fit(arg, wanted); err != nil {
			return nil, err
		}
	}
	if err := g.wouldGrow(in); err != nil {
		return nil, err
	}
	out := g.function.Call(in)
	if len(out) == 2 && !out[1].IsNil() {
		return nil, out[1].Interface().(error)
	}
	made := out[0].Interface()
	if err := affordable(made); err != nil {
		return nil, fmt.Errorf("%s gives %w", g.name, err)
	}
	return made, nil
}

// fit makes an argument a value of the wanted type, as text/template does.
func (g guard) fit(arg any, wanted reflect.Type) (reflect.Value, error) {
	value := reflect.ValueOf(arg)
	if g.strict || wanted.Kind() != reflect.Interface {
		found, err := contains(value, 0)
		if err != nil {
			return value, fmt.Errorf("%s: %w", g.name, err)
		}
		// A container of placeholders is fine for those that only move its items.
		if _, itself := arg.(Opaque); itself || found && g.strict {
			return value, refusal(g.name)
		}
	}
	switch {
	case !value.IsValid():
		switch wanted.Kind() {
		case reflect.Interface, reflect.Map, reflect.Slice, reflect.Pointer, reflect.Func:
			return reflect.Zero(wanted), nil
		}
		return value, fmt.Errorf("%s wants %s, and got null", g.name, word(wanted))
	case value.Type().AssignableTo(wanted):
		return value, nil
	case numeric(value.Type()) && numeric(wanted) && value.Convert(wanted).Convert(value.Type()).Equal(value):
		return value.Convert(wanted), nil // A constant such as 3 fits every kind of number.
	}
	return value, fmt.Errorf("%s wants %s, and got %s", g.name, word(wanted), word(value.Type()))
}

func numeric(t reflect.Type) bool { return t.Kind() >= reflect.Int && t.Kind() <= reflect.Float64 }

// word names a type for those who write templates.
func word(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "text"
	case reflect.Bool:
		return "true or false"
	case reflect.Map:
		return "a dict"
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.Float32, reflect.Float64:
		return "a number"
	}
	if numeric(t) {
		return "a whole number"
	}
	return "something else"
}

var errTooNested = errors.New("the argument is nested more than 64 deep")

// contains says whether v is an Opaque or holds one.
func contains(v reflect.Value, depth int) (bool, error) {
	if depth > maxNesting {
		return false, errTooNested
	}
	switch v.Kind() {
	case reflect.Interface, reflect.Pointer:
		if v.IsNil() {
			return false, nil
		}
		return contains(v.Elem(), depth+1)
	case reflect.Struct:
		return v.Type() == reflect.TypeFor[Opaque](), nil
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			if found, err := contains(v.Index(i), depth+1); found || err != nil {
				return found, err
			}
		}
	case reflect.Map:
		for entries := v.MapRange(); entries.Next(); {
			if found, err := contains(entries.Value(), depth+1); found || err != nil {
				return found, err
			}
		}
	}
	return false, nil
}
