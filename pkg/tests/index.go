package tests

import (
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/org/promote/pkg/regular"
)

// mostIndexed bounds how many files are looked at to know where names belong. Past it, annotations have no place.
const mostIndexed = 200_000

// moduleCap bounds a go.mod in bytes. One that is larger, or a link to what never ends, has no module.
const moduleCap = 4 << 20

// index is where names that reports use lie in the workspace.
type index struct {
	// modules are the folders of Go modules by their path.
	modules map[string]string
	// sources are files of the Java virtual machine's languages by their name, relative to the workspace.
	sources map[string][]string
}

// index walks the workspace once.
func (p *Places) index() *index {
	if p.known != nil {
		return p.known
	}
	p.known = &index{modules: map[string]string{}, sources: map[string][]string{}}
	if p.workspace == "" {
		return p.known
	}
	left := mostIndexed
	// An unreadable folder only means that names in it have no place.
	_ = filepath.WalkDir(p.workspace, func(path string, entry fs.DirEntry, err error) error {
		if left--; left < 0 {
			return filepath.SkipAll
		}
		switch {
		case err != nil:
			return nil //nolint:nilerr // see above
		case entry.IsDir():
			if name := entry.Name(); name == ".git" || name == "node_modules" || name == "target" {
				return filepath.SkipDir
			}
		case entry.Name() == "go.mod":
			// Of copies of a module, as in test data, the one the command runs in is meant, else the first.
			module, dir := modulePath(path), filepath.Dir(path)
			if _, known := p.known.modules[module]; module != "" && (!known || dir == p.dir) {
				p.known.modules[module] = dir
			}
		case isJVM(entry.Name()):
			if relative, err := filepath.Rel(p.workspace, path); err == nil {
				p.known.sources[entry.Name()] = append(p.known.sources[entry.Name()], filepath.ToSlash(relative))
			}
		}
		return nil
	})
	return p.known
}

func isJVM(name string) bool {
	switch filepath.Ext(name) {
	case ".java", ".kt", ".scala", ".groovy":
		return true
	}
	return false
}

// modulePath reads the module's path from a go.mod; "" when it has none.
func modulePath(file string) string {
	data, err := regular.Read(file, moduleCap)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(data)) {
		if fields := strings.Fields(line); len(fields) >= 2 && fields[0] == "module" {
			return strings.Trim(fields[1], `"`+"`")
		}
	}
	return ""
}
