package image

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// placement is one file, link or folder of a layer. Owner and time are the same for all of them and stand nowhere here.
type placement struct {
	name   string // path in the image without the leading slash
	source string // file with the content; "" for links and folders
	link   string // what a symbolic link says
	mode   int64  // permission bits: 0755 or 0644, which is all that git keeps of them
	folder bool
}

// Modes in a layer. A file's own bits depend on the umask of whoever checked it out; git keeps only whether it can be run.
const (
	modePlain = 0o644
	modeRun   = 0o755
)

// placed lists what the request's files put into the layer, and reports all that is wrong with them.
func (r BuildRequest) placed() ([]placement, error) {
	var all []placement
	var problems []error
	from := map[string]string{}
	for _, line := range r.Files {
		some, err := r.place(line)
		if err != nil {
			problems = append(problems, fmt.Errorf("reading file %q: %w", line, err))
		}
		for _, p := range some {
			if other, twice := from[p.name]; twice {
				problems = append(problems, fmt.Errorf("reading file %q: /%s is there already, from %q", line, p.name, other))
			}
			from[p.name] = line
		}
		all = append(all, some...)
	}
	return all, errors.Join(problems...)
}

// place reads one line of files.
func (r BuildRequest) place(line string) ([]placement, error) {
	source, destination, placed := strings.Cut(line, ":")
	if source == "" || placed && !strings.HasPrefix(destination, "/") {
		return nil, errors.New("it is not source:/destination, with an absolute destination in the image, or a folder")
	}
	if filepath.IsAbs(source) {
		return nil, errors.New("its source is not relative to the build context")
	}
	// A link comes with the commit; through one, the image would get the machine's own files.
	root, err := filepath.EvalSymlinks(r.Context)
	if err != nil {
		return nil, reason(err)
	}
	file, err := filepath.EvalSymlinks(filepath.Join(root, source))
	if err != nil {
		return nil, reason(err)
	}
	if relative, err := filepath.Rel(root, file); err != nil || !filepath.IsLocal(relative) {
		return nil, errors.New("it leads out of the build context")
	}
	info, err := os.Stat(file)
	switch {
	case err != nil:
		return nil, reason(err)
	case info.IsDir():
		return placeFolder(file, destination)
	case !placed:
		return nil, errors.New("it is a file and says not where it goes; write source:/destination")
	case strings.HasSuffix(destination, "/"):
		destination += path.Base(filepath.ToSlash(source))
	}
	p, err := placeOne(file, destination, info)
	return []placement{p}, err
}

// placeFolder puts the contents of a folder into the folder destination.
func placeFolder(folder, destination string) ([]placement, error) {
	var all []placement
	err := filepath.WalkDir(folder, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || file == folder {
			return err
		}
		if entry.Name() == ".git" { // a repository's history is no part of what it holds
			if entry.IsDir() {
				return filepath.SkipDir
			}
			return nil
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(folder, file)
		if err != nil {
			return err
		}
		p, err := placeOne(file, path.Join("/", destination, filepath.ToSlash(relative)), info)
		all = append(all, p)
		return err
	})
	return all, err
}

func placeOne(file, destination string, info fs.FileInfo) (placement, error) {
	p := placement{name: strings.TrimPrefix(path.Clean(destination), "/"), mode: modePlain}
	switch mode := info.Mode(); {
	case p.name == "":
		return p, errors.New("its destination is the image's root, which is a folder")
	case mode.IsDir():
		p.folder, p.mode = true, modeRun
	case mode.IsRegular():
		p.source = file
		if mode&0o100 != 0 {
			p.mode = modeRun
		}
	case mode&fs.ModeSymlink != 0:
		target, err := os.Readlink(file)
		if err != nil {
			return p, err
		}
		p.link, p.mode = filepath.ToSlash(target), 0o777
	default:
		return p, fmt.Errorf("%q is neither a file, a folder nor a link", file)
	}
	return p, nil
}

// inOrder gives the placements sorted by name with the folders above them, each once, as a layer has them.
func inOrder(all []placement) []placement {
	seen := map[string]bool{}
	sorted := slices.Clone(all)
	for _, p := range all {
		seen[p.name] = true
	}
	for _, p := range all {
		for dir := path.Dir(p.name); dir != "." && !seen[dir]; dir = path.Dir(dir) {
			seen[dir] = true
			sorted = append(sorted, placement{name: dir, folder: true, mode: modeRun})
		}
	}
	slices.SortFunc(sorted, func(a, b placement) int { return strings.Compare(a.name, b.name) })
	return sorted
}
