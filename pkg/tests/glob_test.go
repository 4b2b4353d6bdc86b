package tests

import (
	"io/fs"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestGlob(t *testing.T) {
	dir := folder(t, map[string]string{
		"a.xml": "", "x/a.xml": "", "x/y/a.xml": "", "x/y/b.txt": "", ".git/a.xml": "", "[odd]/a.xml": "",
	})
	for pattern, want := range map[string][]string{
		"*.xml":            {"a.xml"},
		"**/*.xml":         {"[odd]/a.xml", "a.xml", "x/a.xml", "x/y/a.xml"},
		"x/**/a.xml":       {"x/a.xml", "x/y/a.xml"},
		"x/**":             {"x/a.xml", "x/y/a.xml", "x/y/b.txt"},
		`\[odd\]/*.xml`:    {"[odd]/a.xml"},
		"none/**/*.xml":    nil,
		"none/*/x/**":      nil,
		dir + "/x/*/a.xml": {"x/y/a.xml"},
	} {
		t.Run(strings.TrimPrefix(pattern, dir), func(t *testing.T) {
			found, err := glob(dir, pattern)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, each := range found {
				relative, _ := filepath.Rel(dir, each)
				got = append(got, relative)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFoldersThatAreSkipped(t *testing.T) {
	for err, want := range map[error]bool{
		&fs.PathError{Op: "open", Path: "pgdata", Err: syscall.EACCES}: true,
		&fs.PathError{Op: "open", Path: "gone", Err: syscall.ENOENT}:   true,
		&fs.PathError{Op: "open", Path: "disk", Err: syscall.EIO}:      false,
		nil: false,
	} {
		if got := skippable(err); got != want {
			t.Errorf("%v: got %v", err, got)
		}
	}
}
