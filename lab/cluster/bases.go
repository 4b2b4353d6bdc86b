package cluster

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// language is one whose interpreter the lab can put into a base image, from this machine's own: nothing can be pulled here. The image
// has the interpreter where the official one has it, its library, and a shell with a few tools, so that RUN works. It has
// no package manager: what a build would fetch must be in the repository.
type language struct {
	pkg debianPackage
	// program is where Debian has the interpreter, and target where the official image has it.
	program, target string
	// version prints the interpreter's version, and then the folder of its library, if it has one.
	version []string
}

var languages = map[string]language{
	"python": {
		pkg: debianPackage{name: "python3", file: "/usr/bin/python3"}, program: "/usr/bin/python3", target: "usr/local/bin/python3",
		version: []string{"-c", "import sysconfig, platform; print(platform.python_version()); print(sysconfig.get_path('stdlib'))"},
	},
	"node": {
		pkg: debianPackage{name: "nodejs", file: "/usr/bin/node"}, program: "/usr/bin/node", target: "usr/local/bin/node",
		version: []string{"-p", "process.versions.node"},
	},
}

// tools are what a shell form of RUN mostly calls.
var tools = []string{"/bin/sh", "/bin/cat", "/bin/chmod", "/bin/chown", "/bin/cp", "/usr/bin/env", "/usr/bin/id", "/bin/ln", "/bin/ls", "/bin/mkdir", "/bin/mv", "/bin/rm", "/bin/sleep"}

var from = regexp.MustCompile(`(?mi)^\s*FROM\s+(?:--\S+\s+)?(\S+)(?:\s+AS\s+(\S+))?`)

// Bases puts the images that a Dockerfile begins with into the registry, where the builder looks for docker.io's: those of Python and
// Node from this machine's own, at the tag that is asked for. One that is neither there nor can be made is an error that says how
// to bring it.
func (l *Lab) Bases(ctx context.Context, dockerfile string) error {
	var stages []string
	var problems []error
	for _, found := range from.FindAllStringSubmatch(dockerfile, -1) {
		image, stage := found[1], found[2]
		if image != "scratch" && !slices.Contains(stages, image) {
			problems = append(problems, l.base(ctx, image))
		}
		stages = append(stages, stage)
	}
	return errors.Join(problems...)
}

func (l *Lab) base(ctx context.Context, image string) error {
	ref, err := name.ParseReference(image)
	if err != nil {
		return fmt.Errorf("reading FROM %q: %w", image, err)
	}
	if ref.Context().RegistryStr() != name.DefaultRegistry {
		return nil // whoever names a registry has it
	}
	repository := ref.Context().RepositoryStr()
	here, err := name.ParseReference(registry() + "/" + repository + strings.TrimPrefix(ref.Name(), ref.Context().Name()))
	if err != nil {
		return err
	}
	if _, err := remote.Head(here, remote.WithContext(ctx)); err == nil || !notFound(err) {
		return err
	}
	lang, known := languages[strings.TrimPrefix(repository, "library/")]
	if tag, ok := here.(name.Tag); known && ok {
		return l.seedLanguage(ctx, tag.String(), filepath.Base(repository), lang)
	}
	return fmt.Errorf("looking for FROM %s: the lab's registry has no such image and cannot pull it; begin with golang, python or node (any tag), "+
		"or push it there as %s", image, here)
}

// seedLanguage makes the base image and tags it.
func (l *Lab) seedLanguage(ctx context.Context, tag, what string, lang language) error {
	if len(missingPackages([]debianPackage{lang.pkg}, exists)) > 0 {
		if err := l.apt(ctx, "install", "-y", "-qq", "--no-install-recommends", lang.pkg.name); err != nil {
			return err
		}
	}
	out, err := exec.CommandContext(ctx, lang.program, lang.version...).Output()
	if err != nil {
		return fmt.Errorf("asking %s for its version: %w", lang.program, err)
	}
	said := strings.Fields(string(out))
	l.say("base image", "%s is this machine's %s %s", tag, what, said[0])
	library := ""
	if len(said) > 1 {
		library = said[1]
	}
	return l.seed(ctx, what+"-"+said[0], []string{tag}, func() (v1.Image, error) { return languageFrom(ctx, lang, library) })
}

// languageFrom is the base image of an interpreter: the program, its library, a shell, and the shared libraries of all of them.
func languageFrom(ctx context.Context, lang language, library string) (v1.Image, error) {
	files := map[string]string{lang.target: lang.program}
	programs := []string{lang.program}
	for _, tool := range tools {
		files[strings.TrimPrefix(tool, "/")] = tool
		programs = append(programs, tool)
	}
	if library != "" {
		extensions, err := filepath.Glob(filepath.Join(library, "lib-dynload", "*.so"))
		if err != nil {
			return nil, err
		}
		programs = append(programs, extensions...)
	}
	shared, err := sharedLibraries(ctx, programs)
	if err != nil {
		return nil, err
	}
	for _, path := range shared {
		files[strings.TrimPrefix(path, "/")] = path
	}
	cfg := v1.Config{Env: []string{"PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"}, Cmd: []string{"/" + lang.target}}
	return assemble(cfg, func(w *tar.Writer) error { return fillLanguage(w, files, library) })
}

func fillLanguage(w *tar.Writer, files map[string]string, library string) error {
	for _, dir := range folders(files) {
		if err := addFolder(w, dir, 0o755); err != nil {
			return err
		}
	}
	if err := addFolder(w, "tmp", 0o1777); err != nil {
		return err
	}
	for _, target := range slices.Sorted(maps.Keys(files)) {
		real, err := filepath.EvalSymlinks(files[target])
		if err != nil {
			return err
		}
		if err := addFile(w, real, target, 0o755); err != nil {
			return err
		}
	}
	passwd := "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n"
	if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "etc/passwd", Mode: 0o644, Size: int64(len(passwd))}); err != nil {
		return err
	}
	if _, err := io.WriteString(w, passwd); err != nil {
		return err
	}
	if library == "" {
		return nil
	}
	return addTree(w, library, "usr/local/lib/"+filepath.Base(library), keepOfLibrary)
}

// keepOfLibrary leaves out what only a person at a machine uses, and what is a link out of the library.
func keepOfLibrary(path string, dir bool) bool {
	top, _, _ := strings.Cut(path, "/")
	if slices.Contains([]string{"test", "idlelib", "tkinter", "turtledemo", "ensurepip", "dist-packages", "lib2to3", "pydoc_data"}, top) || strings.HasPrefix(top, "config-") {
		return false
	}
	return !dir && path != "sitecustomize.py" || dir && filepath.Base(path) != "__pycache__"
}

// sharedLibraries asks the loader what programs need.
func sharedLibraries(ctx context.Context, programs []string) ([]string, error) {
	found := map[string]bool{}
	for _, program := range programs {
		out, err := exec.CommandContext(ctx, "ldd", program).Output()
		if err != nil && len(out) == 0 {
			continue // it is linked statically, and ldd calls that an error
		}
		for line := range strings.Lines(string(out)) {
			for _, word := range strings.Fields(line) {
				if strings.HasPrefix(word, "/") && exists(word) {
					found[word] = true
				}
			}
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("looking for the shared libraries of %s: ldd names none; is this machine's C library another one?", programs[0])
	}
	return slices.Sorted(maps.Keys(found)), nil
}

// folders are those that paths lie in, parents first.
func folders(files map[string]string) []string {
	all := map[string]bool{"etc": true, "root": true}
	for path := range files {
		for dir := filepath.Dir(path); dir != "."; dir = filepath.Dir(dir) {
			all[dir] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}
