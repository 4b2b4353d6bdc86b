package verdict_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/org/promote/pkg/verdict"
)

func TestAMonitorsWordsAreKeptInPart(t *testing.T) {
	// Each look keeps its own, and the cluster takes 1 MiB of state.
	got := verdict.Unseen(verdict.Broken, "%s", "the monitor says "+strings.Repeat("ä", 4<<20)).Reason
	if len(got) > 600 || !utf8.ValidString(got) || !strings.HasPrefix(got, "the monitor says ää") || !strings.HasSuffix(got, "…") {
		t.Errorf("%d bytes are kept: %.100q", len(got), got)
	}
	if got := verdict.Unseen(verdict.NoData, "no series of %s", "a").Reason; got != "no series of a" {
		t.Errorf("got %q", got)
	}
}
