package manifest

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// maxFile bounds one template or values file, in bytes. A manifest is text that people wrote; what is larger is a mistake or
// an attack, and Kubernetes accepts no object above 1.5 MiB anyway.
const maxFile = 4 << 20

// File is one template.
type File struct {
	// Name is the file's path as people know it; errors start with it.
	Name string
	Data []byte
}

// Load reads the template at path, or every *.yaml, *.yml and *.tpl file below it when it is a folder, sorted by name. Hidden
// files and folders are left out. A link that leads out of the folder is an error: the files come from a pull request and
// must not reach into the runner.
func Load(path string) ([]File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("loading manifests from %q: %w", path, plain(err))
	}
	folder, names := filepath.Dir(path), []string{filepath.Base(path)}
	if info.IsDir() {
		folder = path
		if names, err = templates(path); err != nil {
			return nil, fmt.Errorf("loading manifests from %q: %w", path, plain(err))
		}
		if len(names) == 0 {
			return nil, fmt.Errorf("loading manifests from %q: the folder has no *.yaml, *.yml or *.tpl file", path)
		}
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, fmt.Errorf("loading manifests from %q: %w", path, plain(err))
	}
	defer func() { _ = root.Close() }()
	var files []File
	var problems []error
	for _, name := range names {
		shown := filepath.ToSlash(filepath.Join(folder, name))
		data, err := readRegular(root, name)
		if err != nil {
			problems = append(problems, fmt.Errorf("loading manifest %q: %w", shown, plain(err)))
			continue
		}
		files = append(files, File{Name: shown, Data: data})
	}
	return files, errors.Join(problems...)
}

// Within names files as they are known inside folder, such as a checkout: "deploy/app.yaml". What is not below it keeps its name.
func Within(folder string, files []File) []File {
	shorter := slices.Clone(files)
	for i, file := range files {
		if name, err := filepath.Rel(folder, file.Name); err == nil && filepath.IsLocal(name) {
			shorter[i].Name = filepath.ToSlash(name)
		}
	}
	return shorter
}

// templates lists the template files below folder, relative to it.
func templates(folder string) ([]string, error) {
	var names []string
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if path != folder && strings.HasPrefix(entry.Name(), ".") {
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if !entry.IsDir() && slices.Contains([]string{".yaml", ".yml", ".tpl"}, filepath.Ext(path)) {
			name, err := filepath.Rel(folder, path)
			if err != nil {
				return err
			}
			names = append(names, name)
		}
		return nil
	})
	slices.Sort(names)
	return names, err
}

// readRegular reads a bounded regular file inside root, so that neither a pipe nor a device can stall or flood the reader.
func readRegular(root *os.Root, name string) ([]byte, error) {
	info, err := root.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is not a regular file")
	}
	file, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	data, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("it is larger than %d MiB", maxFile>>20)
	}
	return data, nil
}

// plain drops the operation and the path from a file error; the caller already named the file.
func plain(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}
