package main

import (
	"fmt"
	"os"

	"sigs.k8s.io/kustomize/kyaml/yaml"
)

// action is an action.yml, with inputs and outputs in the order of the file.
type action struct {
	Name        string   `yaml:"name"`
	Description string   `yaml:"description"`
	Branding    branding `yaml:"branding"`
	Inputs      ordered  `yaml:"inputs"`
	Outputs     ordered  `yaml:"outputs"`
	Runs        runs     `yaml:"runs"`
}

type branding struct {
	Icon  string `yaml:"icon"`
	Color string `yaml:"color"`
}

type runs struct {
	Using string `yaml:"using"`
	Steps []step `yaml:"steps"`
}

type step struct {
	ID    string            `yaml:"id"`
	Shell string            `yaml:"shell"`
	Env   map[string]string `yaml:"env"`
	Run   string            `yaml:"run"`
	Uses  string            `yaml:"uses"`
}

// entry is an input or an output.
type entry struct {
	Name        string `yaml:"-"`
	Description string `yaml:"description"`
	Required    bool   `yaml:"required"`
	Default     string `yaml:"default"`
	Value       string `yaml:"value"`
}

// ordered is a YAML mapping whose order matters.
type ordered []entry

// UnmarshalYAML keeps the order of the keys, which a map would lose.
func (o *ordered) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind != yaml.MappingNode {
		return fmt.Errorf("line %d: expected a mapping of names", node.Line)
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		one := entry{}
		if err := node.Content[i+1].Decode(&one); err != nil {
			return err
		}
		one.Name = node.Content[i].Value
		*o = append(*o, one)
	}
	return nil
}

func load(path string) (action, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return action{}, err
	}
	var a action
	if err := yaml.Unmarshal(data, &a); err != nil {
		return action{}, fmt.Errorf("reading %q: %w", path, err)
	}
	return a, nil
}
