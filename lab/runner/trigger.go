package runner

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// Workflow is one file below .github/workflows, as far as choosing it for an event needs it.
type Workflow struct {
	File string
	Name string
	on   map[string]filter
	jobs map[string]job
	// permissions are those of jobs that have none of their own.
	permissions map[string]string
}

// job is what choosing a runner and a token needs of a job.
type job struct {
	RunsOn      yaml.Node         `yaml:"runs-on"`
	Permissions map[string]string `yaml:"permissions"`
	Steps       []struct {
		Uses string `yaml:"uses"`
	} `yaml:"steps"`
}

// filter narrows an event.
type filter struct {
	Types          []string `yaml:"types"`
	Branches       []string `yaml:"branches"`
	BranchesIgnore []string `yaml:"branches-ignore"`
	Tags           []string `yaml:"tags"`
}

// Parse reads a workflow file.
func Parse(file string, data []byte) (Workflow, error) {
	w := Workflow{File: file, on: map[string]filter{}}
	var raw struct {
		Name string    `yaml:"name"`
		On   yaml.Node `yaml:"on"`

		Permissions map[string]string `yaml:"permissions"`
		Jobs        map[string]job    `yaml:"jobs"`
	}
	if err := yaml.NewDecoder(bytes.NewReader(data)).Decode(&raw); err != nil {
		return w, fmt.Errorf("reading workflow %q: %w", file, err)
	}
	w.Name, w.jobs, w.permissions = raw.Name, raw.Jobs, raw.Permissions
	switch raw.On.Kind {
	case yaml.ScalarNode:
		w.on[raw.On.Value] = filter{}
	case yaml.SequenceNode:
		for _, n := range raw.On.Content {
			w.on[n.Value] = filter{}
		}
	case yaml.MappingNode:
		var on map[string]yaml.Node
		if err := raw.On.Decode(&on); err != nil {
			return w, fmt.Errorf("reading `on` of workflow %q: %w", file, err)
		}
		for event, n := range on {
			var f filter
			// schedule holds a list; it has no filter.
			if n.Kind == yaml.MappingNode {
				if err := n.Decode(&f); err != nil {
					return w, fmt.Errorf("reading `on.%s` of workflow %q: %w", event, file, err)
				}
			}
			w.on[event] = f
		}
	}
	return w, nil
}

// defaultTypes are the activity types that start a workflow which names none, where they are not simply all.
// https://docs.github.com/actions/using-workflows/events-that-trigger-workflows
var defaultTypes = map[string][]string{"pull_request": {"opened", "synchronize", "reopened"}}

// Starts says whether GitHub would start the workflow for this event.
func (w Workflow) Starts(event string, payload []byte) (bool, error) {
	f, ok := w.on[event]
	if !ok {
		return false, nil
	}
	var p struct {
		Action      string `json:"action"`
		Ref         string `json:"ref"`
		Workflow    string `json:"workflow"`
		PullRequest struct {
			Base struct {
				Ref string `json:"ref"`
			} `json:"base"`
		} `json:"pull_request"`
	}
	if err := json.Unmarshal(payload, &p); err != nil {
		return false, fmt.Errorf("reading the payload of %q: %w", event, err)
	}
	// What a person starts is one workflow, whatever others could be started so.
	if event == "workflow_dispatch" {
		return path.Base(p.Workflow) == w.File, nil
	}
	types := f.Types
	if len(types) == 0 {
		types = defaultTypes[event]
	}
	if p.Action != "" && len(types) > 0 && !slices.Contains(types, p.Action) {
		return false, nil
	}
	branch := p.PullRequest.Base.Ref
	if event == "push" {
		if strings.HasPrefix(p.Ref, "refs/tags/") {
			return matches(f.Tags, strings.TrimPrefix(p.Ref, "refs/tags/")), nil
		}
		branch = strings.TrimPrefix(p.Ref, "refs/heads/")
		if len(f.Branches) == 0 && len(f.Tags) > 0 {
			return false, nil
		}
	}
	if branch == "" {
		return true, nil
	}
	if len(f.BranchesIgnore) > 0 {
		return !matches(f.BranchesIgnore, branch), nil
	}
	return len(f.Branches) == 0 || matches(f.Branches, branch), nil
}

// matches understands the patterns that the templates use: names, * and **.
func matches(patterns []string, name string) bool {
	for _, p := range patterns {
		if p == "**" || p == name {
			return true
		}
		if ok, err := path.Match(p, name); err == nil && ok {
			return true
		}
	}
	return false
}

// input is the one expression that a label may hold.
var input = regexp.MustCompile(`\$\{\{ inputs\.([\w-]+) \}\}`)

// Labels lists what the workflow's jobs ask their runners for, without `self-hosted`, where inputs are what a person who starts it
// by hand gives.
func (w Workflow) Labels(inputs map[string]string) []string {
	var labels []string
	add := func(l string) {
		l = input.ReplaceAllStringFunc(l, func(expression string) string { return inputs[input.FindStringSubmatch(expression)[1]] })
		if l != "self-hosted" && !slices.Contains(labels, l) {
			labels = append(labels, l)
		}
	}
	for _, j := range w.jobs {
		switch j.RunsOn.Kind {
		case yaml.ScalarNode:
			add(j.RunsOn.Value)
		case yaml.SequenceNode:
			for _, n := range j.RunsOn.Content {
				add(n.Value)
			}
		}
	}
	slices.Sort(labels)
	return labels
}

// Uses lists the actions of all steps as they are pinned, `owner/name@ref` or `owner/name/folder@ref`, sorted, each once.
func (w Workflow) Uses() []string {
	var all []string
	for _, j := range w.jobs {
		for _, s := range j.Steps {
			if s.Uses != "" {
				all = append(all, s.Uses)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Permissions are what the token of a run may do: all that its jobs ask for, because one run has one token here. A
// permission that no job names is not given, as on GitHub. `id-token` is not among them: it lets a job ask for another
// token, for a cloud, and act has none to give.
func (w Workflow) Permissions() map[string]string {
	all := map[string]string{}
	for _, j := range w.jobs {
		granted := j.Permissions
		if granted == nil {
			granted = w.permissions
		}
		for scope, level := range granted {
			if scope != "id-token" && all[scope] != "write" {
				all[scope] = level
			}
		}
	}
	return all
}
