package image

import "strings"

// tagForm is a kind of tag, one entry for each character: the character, or hashDigit.
type tagForm []byte

// hashDigit stands for any digit of a hash; no tag has this character.
const hashDigit = '#'

// The tags that promote gives, for SHA-1, which all repositories on GitHub have.
var (
	commitForm   = tagForm(strings.Repeat("#", 40))
	treeForm     = tagForm("tree-" + strings.Repeat("#", 40) + "-" + strings.Repeat("#", 16))
	fallbackForm = tagForm("sha256-" + strings.Repeat("#", 64))
)

// formOf is one tag alone.
func formOf(tag string) tagForm { return tagForm(tag) }

// may says whether a pattern, in which * stands for any characters, matches a tag of this form.
func (f tagForm) may(pattern string) bool {
	return f.match(pattern, func(class, c byte) bool {
		return class == c || class == hashDigit && strings.IndexByte("0123456789abcdef", c) >= 0
	})
}

// always says whether a pattern matches every tag of this form.
func (f tagForm) always(pattern string) bool {
	return f.match(pattern, func(class, c byte) bool { return class == c })
}

// match goes through the pattern once and keeps the places in the form that what was read can end at.
func (f tagForm) match(pattern string, fits func(class, c byte) bool) bool {
	at := make([]bool, len(f)+1)
	at[0] = true
	for i := range len(pattern) {
		next := make([]bool, len(f)+1)
		for place, reached := range at {
			switch {
			case !reached:
			case pattern[i] == '*':
				for j := place; j <= len(f); j++ {
					next[j] = true
				}
			case place < len(f) && fits(f[place], pattern[i]):
				next[place+1] = true
			}
		}
		at = next
	}
	return at[len(f)]
}
