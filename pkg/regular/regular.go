// Package regular reads files that came with a commit or that code of a pull request has left. Such a file may be anything by the
// time it is read: a pipe that nobody writes to, a link to a device that never ends, a link to the runner's own files.
//
// It refuses whatever is not a regular file, and files that are larger than the caller can use.
//
//	data, err := regular.Read(filepath.Join(dir, "go.mod"), 1<<20)
package regular

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// errIrregular says what a name is not.
var errIrregular = errors.New("it is not a regular file")

// Open opens a regular file. Reading it fails past most bytes: part of a file must not read like the whole.
func Open(path string, most int64) (io.ReadCloser, error) {
	// Devices are not even opened, since some do something then.
	if info, err := os.Stat(path); err != nil {
		return nil, plain(err)
	} else if !info.Mode().IsRegular() {
		return nil, errIrregular
	}
	// What was a file may be a pipe by now, on which an open would wait for ever.
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, plain(err)
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errIrregular
	}
	if err == nil && info.Size() > most {
		err = tooLarge(most)
	}
	if err != nil {
		_ = file.Close()
		return nil, plain(err)
	}
	return &bounded{file: file, left: most, most: most}, nil
}

// Read reads a whole regular file of at most so many bytes.
func Read(path string, most int64) ([]byte, error) {
	file, err := Open(path, most)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	return io.ReadAll(file)
}

// Inside says whether path, with all links followed, is dir or lies in it.
func Inside(dir, path string) bool {
	dir, errDir := filepath.EvalSymlinks(dir)
	path, errPath := filepath.EvalSymlinks(path)
	if errDir != nil || errPath != nil {
		return false
	}
	relative, err := filepath.Rel(dir, path)
	return err == nil && filepath.IsLocal(relative)
}

// LeadsOut says whether something is at path that is not in dir: for a path within dir, because of a link.
func LeadsOut(dir, path string) bool {
	_, err := os.Lstat(path)
	return err == nil && !Inside(dir, path)
}

// bounded fails when a file goes on for too long: files of /proc say that they are empty, and others grow.
type bounded struct {
	file       *os.File
	left, most int64
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.file.Read(p[:min(int64(len(p)), b.left+1)])
	if b.left -= int64(n); b.left < 0 {
		return 0, tooLarge(b.most)
	}
	return n, plain(err)
}

func (b *bounded) Close() error { return b.file.Close() }

func tooLarge(most int64) error {
	if most < 1<<20 {
		return fmt.Errorf("it has more than %d KiB", most>>10)
	}
	return fmt.Errorf("it has more than %d MiB", most>>20)
}

// plain drops the operation and the path from a file error: the caller names the file.
func plain(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}
