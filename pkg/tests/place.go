package tests

import (
	"cmp"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// placePatterns are the ways in which compilers and test runners write a place, as path and line: "path:12", also with the
// column; Python's traceback; .NET's stack. The last one is a stack of the Java virtual machine, with the class before.
var placePatterns = regexp.MustCompile(`([A-Za-z0-9_@./\\+\[\]-]+\.[A-Za-z][A-Za-z0-9]*):(?:line )?(\d{1,7})\b` +
	`|File "([^"\n]+)", line (\d{1,7})` +
	`|([\w.$]+)\.[\w$<>-]+\((\w+\.(?:java|kt|scala|groovy)):(\d{1,7})\)`)

// foreign are folders of code that is not the repository's own, although it lies there: the place in a test that called it
// helps more.
var foreign = regexp.MustCompile(`(^|/)(node_modules|vendor|site-packages|\.venv|venv|\.tox|\.yarn|third_party)/`)

// Places finds files of the repository in the output of tests.
type Places struct {
	// workspace is the repository's root, dir the folder the command ran in.
	workspace, dir string
	known          *index // made when the first name needs it
}

// NewPlaces finds places in the repository whose root is workspace, for a command that ran in dir.
func NewPlaces(workspace, dir string) *Places { return &Places{workspace: workspace, dir: dir} }

// inWorkspace stands for the workspace in a text that is searched.
const inWorkspace = "/@@/"

// spot is a line of a file, relative to the workspace.
type spot struct {
	file string
	line int
}

// in gives the first place in text that is a file of the repository. Relative paths are tried below each of dirs, in order.
func (p *Places) in(text string, dirs ...string) (file string, line int) {
	var fallback spot
	for _, s := range p.all(text, dirs) {
		if !foreign.MatchString(s.file) {
			return s.file, s.line
		}
		if fallback.file == "" {
			fallback = s
		}
	}
	return fallback.file, fallback.line
}

// lineIn gives the first line of that file that text names, or 0.
func (p *Places) lineIn(text, file string, dirs ...string) int {
	for _, s := range p.all(text, dirs) {
		if s.file == file {
			return s.line
		}
	}
	return 0
}

// all gives the places in the repository that text names, in order; only so many are looked at.
func (p *Places) all(text string, dirs []string) []spot {
	if p.workspace == "" {
		return nil
	}
	var found []spot
	// The folder of the checkout may have characters in its name that end a path elsewhere.
	text = strings.ReplaceAll(text, p.workspace+"/", inWorkspace)
	for _, m := range placePatterns.FindAllStringSubmatch(text, 200) {
		line, _ := strconv.Atoi(cmp.Or(m[2], m[4], m[7]))
		var file string
		if path := cmp.Or(m[1], m[3]); path != "" {
			file = p.find(path, dirs...)
		} else {
			file = p.source(m[5], m[6])
		}
		if file != "" {
			found = append(found, spot{file, line})
		}
	}
	return found
}

// find gives the path of an existing file relative to the workspace, or "". Paths come out of test output and are hostile:
// whatever leads out of the workspace is none.
func (p *Places) find(path string, dirs ...string) string {
	if path == "" || strings.ContainsRune(path, 0) {
		return ""
	}
	path = strings.ReplaceAll(path, `\`, "/")
	candidates := []string{path}
	if _, rest, ok := strings.Cut(path, inWorkspace); ok {
		candidates = []string{filepath.Join(p.workspace, rest)}
	} else if !filepath.IsAbs(path) {
		candidates = candidates[:0]
		for _, dir := range dirs {
			candidates = append(candidates, filepath.Join(dir, path))
		}
	}
	for _, candidate := range candidates {
		relative, err := filepath.Rel(p.workspace, candidate)
		if err != nil || !filepath.IsLocal(relative) {
			continue
		}
		if info, err := os.Stat(candidate); err == nil && info.Mode().IsRegular() {
			return filepath.ToSlash(relative)
		}
	}
	return ""
}

// packageDir gives the folder of a Go package, and that of its module: the import path below that of the nearest module in
// the workspace. A package of none is taken for one of the folder the command ran in.
func (p *Places) packageDir(pkg string) (folder, root string) {
	best := ""
	folder, root = p.dir, p.dir
	for module, dir := range p.index().modules {
		rest, ok := strings.CutPrefix(pkg, module)
		if ok && (rest == "" || rest[0] == '/') && len(module) > len(best) {
			best, folder, root = module, filepath.Join(dir, filepath.FromSlash(rest)), dir
		}
	}
	return folder, root
}

// class gives the file of a class of the Java virtual machine by its full name, or "".
func (p *Places) class(class string) string {
	if !classPattern.MatchString(class) {
		return ""
	}
	simple := class[strings.LastIndexByte(class, '.')+1:]
	simple, _, _ = strings.Cut(simple, "$") // a nested class stands in its outer one's file
	for _, extension := range []string{".java", ".kt", ".scala", ".groovy"} {
		if file := p.source(class, simple+extension); file != "" {
			return file
		}
	}
	return ""
}

var classPattern = regexp.MustCompile(`^[\w$]+(\.[\w$]+)*$`)

// source gives the source file of that name which lies in the folders of the class' package. Kotlin does not ask for these
// folders, so a name that is there once is enough.
func (p *Places) source(class, base string) string {
	candidates := p.index().sources[base]
	packagePath := strings.ReplaceAll(class[:max(0, strings.LastIndexByte(class, '.'))], ".", "/")
	for _, each := range candidates {
		if packagePath != "" && strings.HasSuffix("/"+each, "/"+packagePath+"/"+base) {
			return each
		}
	}
	if len(candidates) == 1 {
		return candidates[0]
	}
	return ""
}
