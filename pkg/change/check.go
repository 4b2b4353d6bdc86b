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

// checkRef refuses what git itself refuses in branch names, what would read as an option, and what is not seen: two branches must not
// look the same.
func checkRef(what, ref string) error {
	bad := ref == "" || len(ref) > refCap || strings.HasPrefix(ref, "-") || strings.Contains(ref, "..") || strings.ContainsAny(ref, " ~^:?*[\\") ||
		visible(ref, len(ref)) != ref
	if bad {
		return fmt.Errorf("reading %s %q: not a branch name", what, bounded(ref))
	}
	return nil
}

// deleted says that a push took the branch away: its new commit is all zeroes.
func deleted(commit string) bool { return commit != "" && strings.Trim(commit, "0") == "" }

// mostTold is how much of a hostile text is told, in characters.
const mostTold = 80

// bounded is as much of a text as may be quoted in an error.
func bounded(s string) string {
	if runes := []rune(s); len(runes) > mostTold {
		return string(runes[:mostTold]) + "…"
	}
	return s
}

// told is as much of a text as may stand in a sentence without quotes.
func told(s string) string { return visible(s, mostTold) }

// refCap is more than GitHub takes for the name of a branch, in bytes.
const refCap = 1000

// titleCap is GitHub's own limit of a pull request's title, in characters; the first line of a commit's message has none.
const titleCap = 256

// titled is the first line of a text, as long as a title may be.
func titled(text string) string {
	line, _, _ := strings.Cut(strings.TrimLeft(text, "\r\n"), "\n")
	return visible(strings.TrimRight(line, "\r"), titleCap)
}

// visible gives at most so many characters of a text, and a replacement character for each that is not seen and changes how the rest
// reads, in a terminal or on a page. The joiners stay, which emoji and some scripts are written with.
func visible(s string, most int) string {
	var b strings.Builder
	n := 0
	for _, r := range s {
		if n++; n > most {
			return b.String() + "…"
		}
		if r != '\u200C' && r != '\u200D' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r)) {
			r = unicode.ReplacementChar
		}
		b.WriteRune(r)
	}
	return b.String()
}
