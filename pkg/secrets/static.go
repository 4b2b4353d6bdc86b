package secrets

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// Static answers from a map, for examples and for tests of what looks values up. What is not in it is missing.
type Static map[Ref]string

// staticVersion is the one version of everything in a Static.
const staticVersion = "static"

// Resolve answers every ref that is in the map.
func (s Static) Resolve(_ context.Context, refs []Ref) (map[Ref]Value, error) {
	values := make(map[Ref]Value, len(refs))
	var problems []error
	for _, ref := range refs {
		data, ok := s[ref]
		if err := ref.Check(); err != nil {
			problems = append(problems, err)
		} else if !ok {
			problems = append(problems, fmt.Errorf("looking up %s %q: there is none in the map", ref.Kind, ref.ID))
		}
		values[ref] = Value{Data: Bytes(data), Version: staticVersion}
	}
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	return values, nil
}

// ResolveAt is Resolve, for what has no other version than the one in the map.
func (s Static) ResolveAt(ctx context.Context, versions map[Ref]string) (map[Ref]Value, error) {
	var problems []error
	for _, ref := range slices.SortedFunc(maps.Keys(versions), Ref.Compare) {
		if _, ok := s[ref]; ok && versions[ref] != staticVersion {
			problems = append(problems, gone(ref.Kind, ref.ID, versions[ref]))
		}
	}
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	return s.Resolve(ctx, slices.Collect(maps.Keys(versions)))
}
