package docs

import (
	"strings"
)

// Command is one command of a block of shell.
type Command struct {
	Line int
	// Variables are the assignments that stand before it, as NAME=value.
	Variables []string
	// Words are the program and its arguments, without quotes.
	Words []string
}

// Commands are those of a block of shell, one a line; a line that ends with a backslash goes on in the next. Comments, loops and
// what stands behind a pipe or `&&` are commands of their own only as far as pages use them: `a && b`, `a | b`, `a &`.
func (b Block) Commands() []Command {
	var commands []Command
	lines := strings.Split(b.Text, "\n")
	for i := 0; i < len(lines); i++ {
		at, text := b.Line+1+i, lines[i]
		for strings.HasSuffix(text, "\\") && i+1 < len(lines) {
			i++
			text = strings.TrimSuffix(text, "\\") + " " + strings.TrimSpace(lines[i])
		}
		for _, words := range sentences(text) {
			c := Command{Line: at}
			for len(words) > 0 && isAssignment(words[0]) {
				c.Variables, words = append(c.Variables, words[0]), words[1:]
			}
			if c.Words = words; len(words) > 0 {
				commands = append(commands, c)
			}
		}
	}
	return commands
}

func isAssignment(word string) bool {
	name, _, found := strings.Cut(word, "=")
	return found && name != "" && strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789") == ""
}

// sentences splits a line into commands, and each into words. An operator is one only outside of quotes.
func sentences(line string) [][]string {
	var all [][]string
	var words []string
	var word strings.Builder
	quote, inWord := rune(0), false
	end := func() {
		if inWord {
			words = append(words, word.String())
			word.Reset()
			inWord = false
		}
	}
	for _, r := range line {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '\'' || r == '"':
			quote, inWord = r, true
		case r == '#' && !inWord:
			end()
			return append(all, words)
		case r == '|' || r == '&' || r == ';':
			end()
			if len(words) > 0 {
				all, words = append(all, words), nil
			}
		case r == ' ' || r == '\t':
			end()
		default:
			word.WriteRune(r)
			inWord = true
		}
	}
	end()
	if len(words) > 0 {
		all = append(all, words)
	}
	return all
}
