package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/semver"
)

// changes writes what is new since the version before, one line a commit. The tag of a version is on a commit of its own behind
// the one that was released, which alone is on the main branch.
func (r release) changes(ctx context.Context) error {
	tags, err := git(ctx, "tag", "--list", "v*")
	if err != nil {
		return err
	}
	since, head := before(r.version, strings.Fields(tags)), "The first version."
	span := []string{"log", "--no-merges", "--format=- %s (%h)", "HEAD"}
	if since != "" {
		head = "Since " + since + ":"
		span = append(span, "^"+since+"^")
	}
	log, err := git(ctx, span...)
	if err != nil {
		return err
	}
	if since == "" {
		log = ""
	}
	text := fmt.Sprintf("# promote %s\n\n%s\n\n%s", r.version, head, log)
	return os.WriteFile(filepath.Join(r.to, "changelog.md"), []byte(text), 0o644)
}

// before is the newest version among tags that is older than this one. A version that is not final follows any, a final one
// follows a final one.
func before(version string, tags []string) string {
	var older []string
	for _, tag := range tags {
		final := semver.Prerelease(tag) == "" || semver.Prerelease(version) != ""
		if semver.Canonical(tag) == tag && final && semver.Compare(tag, version) < 0 {
			older = append(older, tag)
		}
	}
	if len(older) == 0 {
		return ""
	}
	return slices.MaxFunc(older, semver.Compare)
}

func git(ctx context.Context, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, "git", args...).Output()
	if err != nil {
		return "", fmt.Errorf("asking git %s: %w", strings.Join(args, " "), err)
	}
	return string(out), nil
}
