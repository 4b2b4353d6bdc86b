package tests

import (
	"errors"
	"io/fs"
	"path"
	"path/filepath"
	"strings"
)

// glob gives the files below dir that match a pattern with the usual * ? [] and with ** for any folders in between. An
// absolute pattern stands for itself.
func glob(dir, pattern string) ([]string, error) {
	if filepath.IsAbs(pattern) {
		dir, pattern = "/", strings.TrimPrefix(filepath.Clean(pattern), "/")
	}
	if !strings.Contains(pattern, "**") {
		return filepath.Glob(filepath.Join(globEscape(dir), pattern))
	}
	// The walk begins below the last folder that the pattern names outright.
	parts := strings.Split(path.Clean(filepath.ToSlash(pattern)), "/")
	for len(parts) > 1 && !strings.ContainsAny(parts[0], `*?[\`) {
		dir, parts = filepath.Join(dir, parts[0]), parts[1:]
	}
	var found []string
	err := filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case skippable(err):
			return filepath.SkipDir
		case err != nil:
			return err
		case entry.IsDir() && entry.Name() == ".git":
			return filepath.SkipDir
		case entry.Type().IsRegular():
			relative, err := filepath.Rel(dir, name)
			if err == nil && matches(parts, strings.Split(filepath.ToSlash(relative), "/")) {
				found = append(found, name)
			}
		}
		return nil
	})
	return found, err
}

// skippable says whether a folder only cannot be looked into: it is gone, or belongs to somebody else, as what a database in a
// container leaves. No report of ours is in there.
func skippable(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission)
}

// matches compares a path with a pattern, folder by folder; ** stands for any number of folders, also none.
func matches(pattern, name []string) bool {
	if len(pattern) == 0 {
		return len(name) == 0
	}
	if pattern[0] == "**" {
		return matches(pattern[1:], name) || len(name) > 0 && matches(pattern, name[1:])
	}
	if len(name) == 0 {
		return false
	}
	ok, err := path.Match(pattern[0], name[0])
	return err == nil && ok && matches(pattern[1:], name[1:])
}

// globEscape makes a folder's name stand for itself in a pattern.
func globEscape(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}
