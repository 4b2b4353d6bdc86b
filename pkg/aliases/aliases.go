// Package aliases measures what a YAML document unfolds to. Its parsers bound how many aliases (*name) they follow and not how much
// text these stand for: a few KiB can name one long text a million times, which as JSON is all the memory there is.
//
// It refuses documents with aliases that unfold to more than the caller can use, and reads nothing of any other.
//
//	if err := aliases.Check(data, 16<<20); err != nil { return err }
package aliases

import (
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Check refuses a document that has more than most bytes when its aliases are replaced by what they stand for.
func Check(data []byte, most int) error {
	if !mayName(data, '&') || !mayName(data, '*') {
		return nil
	}
	var root yaml.Node
	if err := yaml.Unmarshal(data, &root); err != nil {
		return errors.New(strings.TrimPrefix(err.Error(), "yaml: "))
	}
	u := unfolding{sizes: map[*yaml.Node]int{}, most: most}
	if u.size(&root) > most {
		return fmt.Errorf("its aliases (*name) stand for more than %d MiB", most>>20)
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
type unfolding struct {
	sizes map[*yaml.Node]int
	most  int
}

// size is about how many bytes a node has as JSON, and one more than most for all that is larger.
func (u *unfolding) size(node *yaml.Node) int {
	if node == nil {
		return 0
	}
	if size, known := u.sizes[node]; known {
		return size
	}
	u.sizes[node] = u.most + 1 // An alias within what it stands for has no end.
	size := len(node.Value) + 4
	if node.Kind == yaml.AliasNode {
		size = u.size(node.Alias)
	}
	for _, each := range node.Content {
		size = min(size+u.size(each), u.most+1)
	}
	u.sizes[node] = size
	return size
}
