package github

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// person is an author or a committer.
type person struct {
	Name, Email string
	Date        time.Time
}

// commit is one commit as git has it.
type commit struct {
	SHA, Tree         string
	Parents           []string
	Author, Committer person
	Message           string
}

// commitFormat has ten fields, each ended by a NUL: no field can hold one.
const (
	commitFormat = "--format=tformat:%H%x00%T%x00%P%x00%an%x00%ae%x00%aI%x00%cn%x00%ce%x00%cI%x00%B%x00"
	commitFields = 10
)

// commits lists what `git log` gives for the arguments, newest first.
func (g gitDir) commits(ctx context.Context, args ...string) ([]commit, error) {
	out, err := g.run(ctx, nil, append([]string{"log", "--no-show-signature", commitFormat}, args...)...)
	if err != nil {
		return nil, err
	}
	fields := strings.Split(out, "\x00")
	var all []commit
	for ; len(fields) > commitFields; fields = fields[commitFields:] {
		c, err := parseCommit(fields)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, nil
}

func parseCommit(f []string) (commit, error) {
	authored, err := time.Parse(time.RFC3339, f[5])
	committed, err2 := time.Parse(time.RFC3339, f[8])
	if err := errors.Join(err, err2); err != nil {
		return commit{}, fmt.Errorf("reading a commit's time: %w", err)
	}
	return commit{
		SHA: strings.TrimSpace(f[0]), Tree: f[1], Parents: strings.Fields(f[2]),
		Author:    person{f[3], f[4], authored},
		Committer: person{f[6], f[7], committed},
		Message:   strings.TrimRight(f[9], "\n"),
	}, nil
}

// commit reads one; sha must exist.
func (g gitDir) commit(ctx context.Context, sha string) (commit, error) {
	all, err := g.commits(ctx, "-1", sha)
	if err == nil && len(all) != 1 {
		err = fmt.Errorf("reading commit %q: git gave %d commits", sha, len(all))
	}
	if err != nil {
		return commit{}, err
	}
	return all[0], nil
}

// file is one changed file.
type file struct {
	Path, Old, Blob, Status string
	Added, Deleted          int
}

// letters maps git's letter for a change to GitHub's word.
var letters = map[byte]string{'A': "added", 'D': "removed", 'M': "modified", 'R': "renamed", 'C': "copied", 'T': "changed"}

// emptyTree is what a commit without parents is compared with.
const emptyTree = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"

// diff lists the files that differ between two commits or trees.
func (g gitDir) diff(ctx context.Context, from, to string) ([]file, error) {
	out, err := g.run(ctx, nil, "diff", "--raw", "--numstat", "--no-abbrev", "-M", "-z", from, to)
	if err != nil {
		return nil, err
	}
	parts := strings.Split(strings.TrimSuffix(out, "\x00"), "\x00")
	var all []file
	at := map[string]int{}
	for len(parts) > 0 && parts[0] != "" {
		if strings.HasPrefix(parts[0], ":") {
			var f file
			if f, parts, err = parseRaw(parts); err != nil {
				return nil, err
			}
			at[f.Path] = len(all)
			all = append(all, f)
			continue
		}
		var path string
		var added, deleted int
		path, added, deleted, parts = parseNumstat(parts)
		if i, known := at[path]; known {
			all[i].Added, all[i].Deleted = added, deleted
		}
	}
	return all, nil
}

// parseRaw reads ":100644 100644 <old blob> <new blob> M", then one path, or two when it was renamed.
func parseRaw(parts []string) (file, []string, error) {
	head := strings.Fields(parts[0])
	if len(head) != 5 || len(parts) < 2 {
		return file{}, nil, fmt.Errorf("reading git's diff: unexpected line %q", parts[0])
	}
	f := file{Path: parts[1], Blob: head[3], Status: letters[head[4][0]]}
	if f.Status == "removed" {
		f.Blob = head[2]
	}
	if f.Status != "renamed" && f.Status != "copied" {
		return f, parts[2:], nil
	}
	if len(parts) < 3 {
		return file{}, nil, fmt.Errorf("reading git's diff: a rename of %q to nothing", parts[1])
	}
	f.Old, f.Path = parts[1], parts[2]
	return f, parts[3:], nil
}

// parseNumstat reads "3\t1\tpath", or "3\t1\t" followed by the old and the new path. Binary files have dashes.
func parseNumstat(parts []string) (path string, added, deleted int, rest []string) {
	fields := strings.SplitN(parts[0], "\t", 3)
	rest = parts[1:]
	if len(fields) != 3 {
		return "", 0, 0, rest
	}
	added, _ = strconv.Atoi(fields[0])
	deleted, _ = strconv.Atoi(fields[1])
	if path = fields[2]; path == "" && len(rest) >= 2 {
		path, rest = rest[1], rest[2:]
	}
	return path, added, deleted, rest
}

// changes is a commit's own diff: against its first parent.
func (g gitDir) changes(ctx context.Context, c commit) ([]file, error) {
	from := emptyTree
	if len(c.Parents) > 0 {
		from = c.Parents[0]
	}
	return g.diff(ctx, from, c.SHA)
}

// branches maps every branch to its tip.
func (g gitDir) branches(ctx context.Context) (map[string]string, error) {
	out, err := g.run(ctx, nil, "for-each-ref", "--format=%(objectname) %(refname:lstrip=2)", "refs/heads")
	if err != nil {
		return nil, err
	}
	tips := map[string]string{}
	for line := range strings.Lines(out) {
		if sha, name, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			tips[name] = sha
		}
	}
	return tips, nil
}
