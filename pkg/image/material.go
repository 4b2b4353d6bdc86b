package image

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
)

// Material is what an image is made of. It decides which builders can make it, and which files of a checkout it may hold.
type Material string

// The materials that [Builders] know.
const (
	// FromDockerfile makes an image of the build context.
	FromDockerfile Material = "dockerfile"
	// FromGo makes an image of a Go main package, which may use all of the repository, and of the listed files.
	FromGo Material = "go"
	// FromFiles makes an image of files that are there already.
	FromFiles Material = "files"
)

// asked says whether a builder was asked for by name.
func (r BuildRequest) asked() bool { return r.Builder != "" && r.Builder != auto }

// Material says what the request's image is made of, and why in half a sentence for a log. A named builder decides; "auto"
// takes the Dockerfile if there is one, else the Go main package in the context, else the files that are listed. Without any
// of them it is the Dockerfile, whose absence [Build] then reports.
func (r BuildRequest) Material() (of Material, because string) {
	for _, b := range builders {
		if r.Builder == b.name {
			return b.of, "as asked for"
		}
	}
	dockerfile := r.dockerfile()
	if info, err := os.Stat(dockerfile); err == nil && !info.IsDir() {
		return FromDockerfile, "there is a Dockerfile"
	}
	if r.Dockerfile != "" && filepath.Base(r.Dockerfile) != defaultDockerfile {
		return FromDockerfile, "a Dockerfile was named" // and is missing: to build something else would hide a typing error
	}
	if isGoMain(r.Context) {
		return FromGo, fmt.Sprintf("there is no %s but a Go main package", filepath.Base(dockerfile))
	}
	if len(r.Files) > 0 {
		return FromFiles, fmt.Sprintf("there is no %s but files are listed", filepath.Base(dockerfile))
	}
	return FromDockerfile, "nothing else is there to build from"
}

// defaultDockerfile is the Dockerfile's name when none is given.
const defaultDockerfile = "Dockerfile"

// dockerfile is the Dockerfile's path, whether it exists or not.
func (r BuildRequest) dockerfile() string {
	switch {
	case r.Dockerfile == "":
		return filepath.Join(r.Context, defaultDockerfile)
	case filepath.IsAbs(r.Dockerfile):
		return r.Dockerfile
	}
	return filepath.Join(r.Context, r.Dockerfile)
}

// isGoMain says whether a folder holds a Go main package. Build constraints are left to the compiler.
func isGoMain(dir string) bool {
	files, err := filepath.Glob(filepath.Join(escapeGlob(dir), "*.go"))
	if err != nil {
		return false
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.PackageClauseOnly|parser.ParseComments)
		if err == nil && parsed.Name.Name == "main" && !ignored(parsed) {
			return true
		}
	}
	return false
}

// ignored says whether a file is kept out of every build, as generators are.
func ignored(file *ast.File) bool {
	for _, group := range file.Comments {
		for _, comment := range group.List {
			if comment.Pos() < file.Package && strings.TrimSpace(comment.Text) == "//go:build ignore" {
				return true
			}
		}
	}
	return false
}

// escapeGlob makes a path a pattern that matches itself.
func escapeGlob(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}
