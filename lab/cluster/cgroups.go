package cluster

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/org/promote/lab/world"
)

const cgroupRoot = "/sys/fs/cgroup"

// cgroup is the lab's own control group, below which every container runs. A lab in another folder than the usual has another
// group: two labs on one machine, each in a network namespace of its own, must not kill each other's containers.
func (l *Lab) cgroup() string {
	if l.dir == world.UsualDir {
		return "promote-lab"
	}
	return fmt.Sprintf("promote-lab-%x", sha256.Sum256([]byte(l.dir)))[:20]
}

// cgroupsUp makes the lab's control group where the kubelet looks for it: in each hierarchy of version 1, or in the one of
// version 2 with its controllers switched on.
func (l *Lab) cgroupsUp() error {
	for _, hierarchy := range cgroupHierarchies() {
		dir := filepath.Join(hierarchy, l.cgroup())
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		// Without processors and memory of its own, a group of version 1 takes no process.
		for _, file := range []string{"cpuset.cpus", "cpuset.mems"} {
			if value, err := os.ReadFile(filepath.Join(hierarchy, file)); err == nil {
				if err := os.WriteFile(filepath.Join(dir, file), value, 0o644); err != nil {
					return err
				}
			}
		}
		if controllers, err := os.ReadFile(filepath.Join(hierarchy, "cgroup.controllers")); err == nil {
			for name := range strings.FieldsSeq(string(controllers)) {
				// One that can't be switched on is one the kubelet does without, or it says so itself.
				_ = os.WriteFile(filepath.Join(hierarchy, "cgroup.subtree_control"), []byte("+"+name), 0o644)
			}
		}
	}
	return nil
}

// cgroupHierarchies are the roots of every hierarchy that is mounted.
func cgroupHierarchies() []string {
	if exists(filepath.Join(cgroupRoot, "cgroup.controllers")) {
		return []string{cgroupRoot}
	}
	entries, err := os.ReadDir(cgroupRoot)
	if err != nil {
		return nil
	}
	var roots []string
	for _, e := range entries {
		dir := filepath.Join(cgroupRoot, e.Name())
		// A name like cpu,cpuacct is a link to one that is listed as well, or the other way round.
		if e.IsDir() && exists(filepath.Join(dir, "cgroup.procs")) {
			roots = append(roots, dir)
		}
	}
	return roots
}

// cgroupFolders are the lab's groups in every hierarchy, the deepest first.
func (l *Lab) cgroupFolders() []string {
	var dirs []string
	for _, hierarchy := range cgroupHierarchies() {
		// A group that ends meanwhile is none to look into, so the walk has no error.
		_ = filepath.WalkDir(filepath.Join(hierarchy, l.cgroup()), func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				dirs = append(dirs, path)
			}
			return nil
		})
	}
	slices.SortFunc(dirs, func(a, b string) int { return len(b) - len(a) })
	return dirs
}

// killCgroups kills every process in the lab's groups, and says how many there were.
func (l *Lab) killCgroups() int {
	count := 0
	for _, dir := range l.cgroupFolders() {
		data, err := os.ReadFile(filepath.Join(dir, "cgroup.procs"))
		if err != nil {
			continue
		}
		for field := range strings.FieldsSeq(string(data)) {
			if pid, err := strconv.Atoi(field); err == nil && pid > 1 && syscall.Kill(pid, syscall.SIGKILL) == nil {
				count++
			}
		}
	}
	return count
}

// removeCgroups removes the lab's groups; a group that still has a process is an error.
func (l *Lab) removeCgroups() error {
	var errs []error
	for _, dir := range l.cgroupFolders() {
		if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
