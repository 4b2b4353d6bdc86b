package workflow

import (
	"iter"

	"go.yaml.in/yaml/v3"
)

// follow gives what an alias stands for.
func follow(node *yaml.Node) *yaml.Node {
	if node != nil && node.Kind == yaml.AliasNode {
		return node.Alias
	}
	return node
}

// pairs are the entries of a mapping; anything else has none.
func pairs(node *yaml.Node) iter.Seq2[*yaml.Node, *yaml.Node] {
	return func(yield func(*yaml.Node, *yaml.Node) bool) {
		node = follow(node)
		if node == nil || node.Kind != yaml.MappingNode {
			return
		}
		for i := 0; i+1 < len(node.Content); i += 2 {
			if !yield(node.Content[i], follow(node.Content[i+1])) {
				return
			}
		}
	}
}

// get gives the value of a mapping's key, nil for none.
func get(node *yaml.Node, key string) *yaml.Node {
	for name, value := range pairs(node) {
		if name.Value == key {
			return value
		}
	}
	return nil
}

// items are those of a sequence.
func items(node *yaml.Node) []*yaml.Node {
	node = follow(node)
	if node == nil || node.Kind != yaml.SequenceNode {
		return nil
	}
	var all []*yaml.Node
	for _, each := range node.Content {
		all = append(all, follow(each))
	}
	return all
}

// scalar is the text of a node that is one.
func scalar(node *yaml.Node) string {
	if node = follow(node); node == nil || node.Kind != yaml.ScalarNode {
		return ""
	}
	return node.Value
}
