package manifest

// Place is where a value is filled into an object.
type Place struct {
	Kind, Name string
	// Path leads to it: keys of maps, and indices of lists.
	Path []string
	// Shown is the text there with names in the places of the values, such as "postgres://app:(secret checkout/db#password)@db".
	Shown string
}

// Places returns every place that [Rendered.Fill] fills in, so that what is filled in can be hidden where it stands: a value may
// be too short to be found in a text. Names are those in the templates, as Fill leaves them.
func (r *Rendered) Places() []Place {
	var places []Place
	for _, o := range r.objects {
		visit(o.Object, nil, func(path []string, text string) {
			if r.ledger.holds(text) {
				places = append(places, Place{Kind: o.GetKind(), Name: o.GetName(), Path: path, Shown: r.ledger.describe(text)})
			}
		})
	}
	return places
}
