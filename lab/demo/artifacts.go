package demo

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/org/promote/lab/runner"
)

// uploaded is an error when a run had a canary and its workflow did not keep the report, though it has a step for that. A step that asks
// for a wrong output is skipped, and no run would fail of it.
func (s *scene) uploaded(w runner.Workflow, id int, folder string) error {
	uploads := slices.ContainsFunc(w.Uses(), func(use string) bool { return strings.HasPrefix(use, "actions/upload-artifact@") })
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.canaries {
		if c.Run != id || !uploads {
			continue
		}
		for _, name := range []string{"report.html", "run.json"} {
			found, err := filepath.Glob(filepath.Join(folder, runner.Artifacts, "*", name))
			if err != nil {
				return err
			}
			if len(found) != 1 {
				return fmt.Errorf("workflow %s had a canary and uploaded %d files %s, not one", w.File, len(found), name)
			}
			kept, err := os.ReadFile(filepath.Join(s.dir, filepath.Dir(c.Report), name))
			if err != nil {
				return err
			}
			got, err := os.ReadFile(found[0])
			if err != nil {
				return err
			}
			if !bytes.Equal(got, kept) {
				return fmt.Errorf("workflow %s uploaded another %s than its canary wrote", w.File, name)
			}
		}
	}
	return nil
}
