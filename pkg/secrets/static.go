package secrets

import (
	"context"
	"errors"
)

// Static answers from a map. A ref that is not in it gets a stand-in that shows what would be there, such as
// "(secret checkout/db#password)", so that a dry run needs no access to any store: Static(nil) answers everything so.
type Static map[Ref]string

// Resolve answers every well-formed ref.
func (s Static) Resolve(_ context.Context, refs []Ref) (map[Ref]Value, error) {
	values := make(map[Ref]Value, len(refs))
	var problems []error
	for _, ref := range refs {
		if err := ref.Check(); err != nil {
			problems = append(problems, err)
			continue
		}
		if data, ok := s[ref]; ok {
			values[ref] = Value{Data: Bytes(data), Version: "static"}
			continue
		}
		values[ref] = Value{Data: Bytes("(" + ref.String() + ")"), StandIn: true}
	}
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	return values, nil
}
