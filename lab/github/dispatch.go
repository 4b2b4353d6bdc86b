package github

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"path"
	"slices"

	"gopkg.in/yaml.v3"
)

// dispatched is what starting a workflow by hand needs of its file.
type dispatched struct {
	On yaml.Node `yaml:"on"`
}

// input is one that a person gives.
type input struct {
	Required bool     `yaml:"required"`
	Type     string   `yaml:"type"`
	Default  string   `yaml:"default"`
	Options  []string `yaml:"options"`
}

// inputs are those of the trigger workflow_dispatch, and whether the file has it: it may stand alone, in a list, or with nothing below it.
func (d dispatched) inputs() (inputs map[string]input, has bool, err error) {
	const trigger = "workflow_dispatch"
	switch d.On.Kind {
	case yaml.ScalarNode:
		return nil, d.On.Value == trigger, nil
	case yaml.SequenceNode:
		return nil, slices.ContainsFunc(d.On.Content, func(n *yaml.Node) bool { return n.Value == trigger }), nil
	}
	for i := 0; i+1 < len(d.On.Content); i += 2 {
		if d.On.Content[i].Value != trigger {
			continue
		}
		var below struct {
			Inputs map[string]input `yaml:"inputs"`
		}
		err := d.On.Content[i+1].Decode(&below)
		return below.Inputs, true, err
	}
	return nil, false, nil
}

// Dispatch starts a workflow by hand, as a person does in the Actions tab, and returns GitHub's workflow_dispatch payload. It refuses
// what GitHub does: a person who may not write, a file or branch that is not there, one that has no such trigger, inputs that are
// unknown, missing or not among the options.
func (r *Repository) Dispatch(ctx context.Context, workflow, branch string, inputs map[string]string, by string) (Event, error) {
	return r.act(ctx, by, func(repo *repository) (Event, error) {
		if !repo.canWrite(by) {
			return Event{}, refuse(http.StatusForbidden, "Must have write access to repository")
		}
		file := path.Join(".github", "workflows", workflow)
		ref := "refs/heads/" + branch
		text, err := r.s.git(repo).run(ctx, nil, "show", ref+":"+file)
		if err != nil {
			return Event{}, notFound()
		}
		var w dispatched
		if err := yaml.Unmarshal([]byte(text), &w); err != nil {
			return Event{}, refuse(http.StatusUnprocessableEntity, "reading %s: %v", file, err)
		}
		declared, has, err := w.inputs()
		if err != nil {
			return Event{}, refuse(http.StatusUnprocessableEntity, "reading %s: %v", file, err)
		}
		if !has {
			return Event{}, refuse(http.StatusUnprocessableEntity, "Workflow does not have 'workflow_dispatch' trigger")
		}
		given := object{}
		for _, name := range slices.Sorted(maps.Keys(declared)) {
			in := declared[name]
			value := in.Default
			if own, ok := inputs[name]; ok {
				value = own
			}
			switch {
			case value == "" && in.Required:
				return Event{}, refuse(http.StatusUnprocessableEntity, "Required input '%s' not provided", name)
			case in.Type == "choice" && value != "" && !slices.Contains(in.Options, value):
				return Event{}, refuse(http.StatusUnprocessableEntity, "Provided value '%s' for input '%s' not in the list of allowed values", value, name)
			}
			given[name] = value
		}
		for _, name := range slices.Sorted(maps.Keys(inputs)) {
			if _, known := given[name]; !known {
				return Event{}, refuse(http.StatusUnprocessableEntity, "Unexpected inputs provided: %s", fmt.Sprintf("[%q]", name))
			}
		}
		return r.s.emit("workflow_dispatch", object{
			"inputs": given, "ref": ref, "workflow": file, "repository": r.s.showRepository(repo), "sender": r.s.showLogin(by),
		})
	})
}
