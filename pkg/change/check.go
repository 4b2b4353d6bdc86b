package change

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
)

var (
	// A commit hash is SHA-1, or SHA-256 in repositories that were made with it.
	commitPattern = regexp.MustCompile(`^(?:[0-9a-f]{40}|[0-9a-f]{64})$`)
	// GitHub's rules for owners (letters, digits, single hyphens; underscores in enterprise-managed accounts) and
	// repositories.
	repositoryPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,99}/[A-Za-z0-9._-]{1,100}$`)
)

// CheckCommit refuses anything but a full lower-case commit hash. What names where the text came from.
func CheckCommit(what, commit string) error {
	if !commitPattern.MatchString(commit) {
		return fmt.Errorf("reading %s %q: a commit is 40 (or 64) lower-case hex digits", what, bounded(commit))
	}
	return nil
}

// CheckRepository refuses anything but owner/name.
func CheckRepository(what, repository string) error {
	name := repository[strings.Index(repository, "/")+1:]
	if !repositoryPattern.MatchString(repository) || name == "." || name == ".." {
		return fmt.Errorf("reading %s %q: a repository is owner/name", what, bounded(repository))
	}
	return nil
}

// checkRef refuses what git itself refuses in branch names and what would read as an option.
func checkRef(what, ref string) error {
	bad := ref == "" || strings.HasPrefix(ref, "-") || strings.Contains(ref, "..") || strings.ContainsAny(ref, " ~^:?*[\\") ||
		strings.ContainsFunc(ref, unicode.IsControl)
	if bad {
		return fmt.Errorf("reading %s %q: not a branch name", what, bounded(ref))
	}
	return nil
}

// deleted says that a push took the branch away: its new commit is all zeroes.
func deleted(commit string) bool { return commit != "" && strings.Trim(commit, "0") == "" }

// bounded keeps hostile text from flooding an error.
func bounded(s string) string {
	const most = 80
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}
