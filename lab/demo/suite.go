package demo

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// copySuite takes the actions as they are now, with what git does not ignore: who edits the repository while the demo runs changes
// nothing in it, and no job copies what a build left lying around.
func (s *scene) copySuite(ctx context.Context) error {
	// The demo may run as root in somebody's folder, which git would refuse to look at.
	names, err := s.gitOutput(ctx, s.suite, "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	if err != nil {
		return fmt.Errorf("listing what belongs to the repository in %s: %w", s.suite, err)
	}
	to := filepath.Join(s.dir, "suite")
	for name := range strings.SplitSeq(strings.Trim(names, "\x00"), "\x00") {
		from := filepath.Join(s.suite, name)
		info, err := os.Lstat(from)
		if errors.Is(err, fs.ErrNotExist) {
			continue // deleted, and not committed yet
		}
		if err != nil {
			return err
		}
		if !info.Mode().IsRegular() {
			continue
		}
		if err := copyFile(from, filepath.Join(to, name)); err != nil {
			return err
		}
		if err := os.Chmod(filepath.Join(to, name), info.Mode().Perm()); err != nil {
			return err
		}
	}
	s.suite = to
	return nil
}
