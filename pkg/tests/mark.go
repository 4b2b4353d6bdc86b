package tests

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Major is promote's major version. A result of another one does not count as proof: what "passed" means may have changed.
const Major = 1

// Mark says, behind the # of a status' URL, what the status is about. A browser that follows the link ignores it. It stands
// there and not in the description, since that has 140 characters and belongs to people.
type Mark struct {
	// Tree is the git tree that was tested, Suite the fingerprint of what was run.
	Tree, Suite string
	// The counts of a run that ended, so that one that relies on it has outputs too; -1 is unknown. Coverage is in tenths
	// of a percent.
	Tests, Skipped, Flaky, Coverage int
}

// count is a number as String writes it, without zeros before it, and small enough for an int everywhere.
const count = `0|[1-9]\d{0,8}|-`

var markPattern = regexp.MustCompile(`^unit-test=(\d+)\.([0-9a-f]{40,64})\.([0-9a-f]{24})\.(` + count + `)\.(` + count + `)\.(` + count + `)\.(` + count + `)$`)

// String is the mark as it stands in a URL, for instance unit-test=1.<tree>.<suite>.12.1.0.831.
func (m Mark) String() string {
	number := func(n int) string {
		if n < 0 {
			return "-"
		}
		return strconv.Itoa(n)
	}
	return fmt.Sprintf("unit-test=%d.%s.%s.%s.%s.%s.%s", Major, m.Tree, m.Suite,
		number(m.Tests), number(m.Skipped), number(m.Flaky), number(m.Coverage))
}

// ReadMark takes the URL of a status apart. It is not ok for one that this version of unit-test did not write, nor for counts that
// cannot be: more skipped than there were, or more than all of the code covered.
func ReadMark(url string) (run string, m Mark, ok bool) {
	run, text, _ := strings.Cut(url, "#")
	found := markPattern.FindStringSubmatch(text)
	if found == nil || found[1] != strconv.Itoa(Major) {
		return run, Mark{}, false
	}
	number := func(s string) int {
		if n, err := strconv.Atoi(s); err == nil {
			return n
		}
		return -1
	}
	m = Mark{
		Tree: found[2], Suite: found[3], Tests: number(found[4]), Skipped: number(found[5]), Flaky: number(found[6]), Coverage: number(found[7]),
	}
	if m.Skipped > m.Tests || m.Flaky > m.Tests || m.Coverage > 1000 {
		return run, Mark{}, false
	}
	return run, m, true
}

// Counts says in words what the run that ended well had tested.
func (m Mark) Counts() string {
	if m.Tests < 0 {
		return Results{}.Counts()
	}
	parts := []string{plural(m.Tests-max(m.Skipped, 0)) + " passed"}
	if m.Skipped > 0 {
		parts = append(parts, fmt.Sprintf("%d skipped", m.Skipped))
	}
	if m.Flaky > 0 {
		parts = append(parts, fmt.Sprintf("%d flaky", m.Flaky))
	}
	if m.Coverage >= 0 {
		parts = append(parts, Percent(m.Coverage)+" % covered")
	}
	return strings.Join(parts, ", ")
}

// Percent writes tenths of a percent, for instance 83.1; "" for an unknown share.
func Percent(tenths int) string {
	if tenths < 0 {
		return ""
	}
	return fmt.Sprintf("%d.%d", tenths/10, tenths%10)
}
