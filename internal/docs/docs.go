// Package docs reads the Markdown pages of this repository the way their readers do: their links, their headings, their blocks of
// code and the names of files in them. Its tests compare all of it with what is there: a page that names a file, a command, an
// input or a test that does not exist fails `make check`.
//
// It refuses nothing by itself and knows no Markdown beyond what these pages use: fenced blocks, inline code, links, headings.
//
//	pages, err := docs.Load("../..")
//	for _, block := range pages[0].Blocks() { … }
package docs

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"unicode"
)

// Page is one Markdown file.
type Page struct {
	// Path is relative to the repository's root, with slashes.
	Path string
	Text string
}

// Block is one fenced block of code.
type Block struct {
	// Line is that of the opening fence, counted from 1.
	Line int
	// Language is what stands behind the opening fence.
	Language string
	// Mark is the text of the comment in the line before the fence, such as "run: examples/greeter"; mostly "".
	Mark string
	Text string
}

// Link is one link to somewhere in this repository.
type Link struct {
	Line int
	// Path is relative to the page; "" is the page itself. Anchor is what stands behind the #.
	Path, Anchor string
}

// Load reads every page below the root, without those that are a test's data.
func Load(root string) ([]Page, error) {
	var pages []Page
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		if entry.IsDir() && path != root && (name == "testdata" || name == "node_modules" || strings.HasPrefix(name, ".")) {
			return filepath.SkipDir
		}
		if entry.IsDir() || filepath.Ext(name) != ".md" {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		below, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		pages = append(pages, Page{Path: filepath.ToSlash(below), Text: string(text)})
		return nil
	})
	if err == nil && len(pages) == 0 {
		err = fmt.Errorf("looking for pages below %q: there are none", root)
	}
	return pages, err
}

var mark = regexp.MustCompile(`^\s*<!-- (.*) -->\s*$`)

// Blocks are the page's fenced blocks.
func (p Page) Blocks() []Block {
	var blocks []Block
	var open *Block
	before := ""
	for i, line := range strings.Split(p.Text, "\n") {
		fence, fenced := strings.CutPrefix(strings.TrimSpace(line), "```")
		switch {
		case open != nil && fenced:
			blocks, open = append(blocks, *open), nil
		case open != nil:
			open.Text += line + "\n"
		case fenced:
			open = &Block{Line: i + 1, Language: fence}
			if found := mark.FindStringSubmatch(before); found != nil {
				open.Mark = found[1]
			}
		}
		before = line
	}
	return blocks
}

// Prose gives the page's lines with those of fenced blocks empty, so that numbers of lines stay what they are.
func (p Page) Prose() []string {
	lines := strings.Split(p.Text, "\n")
	inside := false
	for i, line := range lines {
		fenced := strings.HasPrefix(strings.TrimSpace(line), "```")
		if inside || fenced {
			lines[i] = ""
		}
		if fenced {
			inside = !inside
		}
	}
	return lines
}

var (
	link   = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	inline = regexp.MustCompile("`([^`]+)`")
)

// Links are the page's links to files of this repository and to headings.
func (p Page) Links() []Link {
	var links []Link
	for i, line := range p.Prose() {
		for _, found := range link.FindAllStringSubmatch(inline.ReplaceAllString(line, "``"), -1) {
			if strings.Contains(found[1], "://") || strings.HasPrefix(found[1], "mailto:") {
				continue
			}
			path, anchor, _ := strings.Cut(found[1], "#")
			links = append(links, Link{Line: i + 1, Path: path, Anchor: anchor})
		}
	}
	return links
}

// Code is what stands in inline code, by its line.
func (p Page) Code() map[int][]string {
	code := map[int][]string{}
	for i, line := range p.Prose() {
		for _, found := range inline.FindAllStringSubmatch(line, -1) {
			code[i+1] = append(code[i+1], found[1])
		}
	}
	return code
}

// Anchors are what a link may have behind its #: the page's headings, as GitHub writes them.
func (p Page) Anchors() map[string]bool {
	anchors := map[string]bool{}
	for _, line := range p.Prose() {
		level, heading, found := strings.Cut(line, " ")
		if !found || level == "" || strings.Trim(level, "#") != "" {
			continue
		}
		base := anchor(heading)
		name := base
		for n := 1; anchors[name]; n++ {
			name = fmt.Sprintf("%s-%d", base, n)
		}
		anchors[name] = true
	}
	return anchors
}

// anchor is a heading in lower case, its blanks as dashes, without anything but letters, digits, dashes and underlines.
func anchor(heading string) string {
	heading = link.ReplaceAllString(heading, "]")
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
			return unicode.ToLower(r)
		}
		return -1
	}, heading)
}
