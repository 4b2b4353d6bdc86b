package docs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

const errorsPage = "docs/errors.md"

var verb = regexp.MustCompile(`%[#+]?[0-9.]*[a-zA-Z%]`)

// texts are the string literals of the actions and libraries. What is added up is one text; what is not written out in it, and what
// fmt fills in, is "…".
func texts(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, dir := range []string{"actions", "pkg"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(node ast.Node) bool {
				expression, ok := node.(ast.Expr)
				if !ok {
					return true
				}
				if text := written(expression); strings.Trim(text, "…") != "" {
					all = append(all, verb.ReplaceAllStringFunc(text, filled))
					return false
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	scripts, err := filepath.Glob(filepath.Join(root, "actions", "*.sh"))
	if err != nil || len(scripts) == 0 {
		t.Fatalf("no scripts below actions/: %v", err)
	}
	for _, script := range scripts {
		text, err := os.ReadFile(script)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, string(text))
	}
	return all
}

// filled is what stands in the place of a verb.
func filled(verb string) string {
	if verb == "%%" {
		return "%"
	}
	return "…"
}

func written(expression ast.Expr) string {
	switch e := expression.(type) {
	case *ast.BasicLit:
		if e.Kind == token.STRING {
			text, _ := strconv.Unquote(e.Value)
			return text
		}
	case *ast.BinaryExpr:
		left, right := written(e.X), written(e.Y)
		if e.Op != token.ADD || left == "" && right == "" {
			return ""
		}
		return orElse(left) + orElse(right)
	}
	return ""
}

func orElse(text string) string {
	if text == "" {
		return "…"
	}
	return text
}

// rows are the first cells of the page's tables, with the heading of the table's first column.
func rows(t *testing.T) map[string][]string {
	t.Helper()
	cells := map[string][]string{}
	head := ""
	for _, p := range load(t) {
		if p.Path != errorsPage {
			continue
		}
		for _, line := range p.Prose() {
			first, _, found := strings.Cut(strings.TrimPrefix(strings.ReplaceAll(line, `\|`, "¦"), "|"), "|")
			switch {
			case !found || !strings.HasPrefix(line, "|"):
				head = ""
			case head == "":
				head = strings.TrimSpace(first)
			case !strings.Contains(first, "---"):
				cells[head] = append(cells[head], first)
			}
		}
	}
	return cells
}

func TestEveryErrorOfThePageIsOneOfTheCodes(t *testing.T) {
	all := texts(t)
	said := rows(t)["it says"]
	if len(said) < 50 {
		t.Fatalf("%s has %d errors: are its tables still read?", errorsPage, len(said))
	}
	for _, cell := range said {
		for _, quoted := range inline.FindAllStringSubmatch(cell, -1) {
			if quoted[1] == "AccessDenied" {
				continue // AWS's word
			}
			for _, piece := range strings.Split(quoted[1], "…") {
				if piece = strings.Trim(piece, " :;,()"); len(piece) > 3 && !anyHas(all, piece) {
					t.Errorf("%s: nothing says %q", errorsPage, piece)
				}
			}
		}
	}
}

func anyHas(all []string, piece string) bool {
	for _, text := range all {
		if strings.Contains(text, piece) {
			return true
		}
	}
	return false
}

// Whoever adds a check of an input, or a reason to do nothing, has a place for it on the page.
func TestThePageHasEveryInputAndEveryReasonToDoNothing(t *testing.T) {
	cells := rows(t)
	page := map[string]string{"input": strings.Join(cells["input"], "\n"), "word": strings.Join(cells["word"], "\n")}
	calls := map[string]*regexp.Regexp{
		"input": regexp.MustCompile(`\.Problem\("([a-z-]+)"`), "word": regexp.MustCompile(`(?:\bneutral\("|Neutral\{Name: ")([a-z-]+)"`),
	}
	found := 0
	for _, pattern := range []string{"actions/*/*.go", "pkg/change/*.go", "pkg/job/*.go", "pkg/release/*.go"} {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			for kind, call := range calls {
				for _, name := range call.FindAllSubmatch(source, -1) {
					found++
					if !strings.Contains(page[kind], "`"+string(name[1])+"`") {
						t.Errorf("%s: the %s %s of %s is in no table", errorsPage, kind, name[1], file)
					}
				}
			}
		}
	}
	if found < 50 {
		t.Errorf("only %d were found in the code", found)
	}
}

// A hint must name an input that there is.
func TestEveryInputThatAnErrorNamesIsThere(t *testing.T) {
	actions := declared(t)
	named := regexp.MustCompile("inputs? `([a-z-]+)`")
	for _, text := range texts(t) {
		for _, found := range named.FindAllStringSubmatch(text, -1) {
			there := found[1] == "commit" // the workflow's own, of a run that a person starts
			for _, inputs := range actions {
				there = there || inputs[found[1]]
			}
			if !there {
				t.Errorf("no action has the input %q: %s", found[1], text)
			}
		}
	}
}
