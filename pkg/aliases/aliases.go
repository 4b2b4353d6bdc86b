package manifest

import (
	"fmt"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/yaml"
)

// maxUnfolded bounds, in bytes, a document whose aliases are replaced by what they stand for. The parser bounds their number
// only: a few KiB of text can name one long text a million times.
const maxUnfolded = maxRendered

// checkAliases refuses a document that unfolds to more than maxUnfolded.
func checkAliases(data []byte) error {
	if !mayName(data, '&') || !mayName(data, '*') {
		return nil
	}
	var root yaml.Node
	if err := yaml.Unmarshal(data, &root); err != nil {
		return fmt.Errorf("%s", strings.TrimPrefix(err.Error(), "yaml: "))
	}
	u := unfolding{sizes: map[*yaml.Node]int{}}
	if u.size(&root) > maxUnfolded {
		return fmt.Errorf("its aliases (*name) stand for more than %d MiB", maxUnfolded>>20)
	}
	return nil
}

// mayName says whether an indicator of YAML may begin the name of an anchor or alias. Most documents have none, and are not parsed
// twice.
func mayName(data []byte, indicator byte) bool {
	for i := 0; i+1 < len(data); i++ {
		if c := data[i+1]; data[i] == indicator && (c == '_' || c == '-' || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z') {
			return true
		}
	}
	return false
}

// unfolding measures nodes; each is measured once.
type unfolding struct{ sizes map[*yaml.Node]int }

// size is about how many bytes a node has as JSON, and one more than maxUnfolded for all that is larger.
func (u *unfolding) size(node *yaml.Node) int {
	if node == nil {
		return 0
	}
	if size, known := u.sizes[node]; known {
		return size
	}
	u.sizes[node] = maxUnfolded + 1 // An alias within what it stands for has no end.
	size := len(node.Value) + 4
	if node.Kind == yaml.AliasNode {
		size = u.size(node.Alias)
	}
	for _, each := range node.Content {
		size = min(size+u.size(each), maxUnfolded+1)
	}
	u.sizes[node] = size
	return size
}
