package tests

import (
	"strings"
	"testing"

	"github.com/org/promote/pkg/hostile"
)

// FuzzReadMark takes the URL of any status apart: what is a mark is one that String writes, to the letter, with counts that can be.
func FuzzReadMark(f *testing.F) {
	m := Mark{Tree: strings.Repeat("4", 40), Suite: strings.Repeat("a", 24), Tests: 12, Skipped: 1, Flaky: 2, Coverage: 831}
	url := "https://github.com/org/shop/actions/runs/1/attempts/2#"
	f.Add(url + m.String())
	f.Add(url + Mark{Tree: strings.Repeat("f", 64), Suite: m.Suite, Tests: -1, Skipped: -1, Flaky: -1, Coverage: -1}.String())
	f.Add(url + strings.Replace(m.String(), ".12.1.", ".1.12.", 1))
	f.Add(url + strings.Replace(m.String(), ".831", ".9999", 1))
	f.Add(url + strings.Replace(m.String(), ".12.", ".012.", 1))
	for _, text := range hostile.Texts {
		if len(text) < 10_000 {
			f.Add(text)
			f.Add(url + m.String() + text)
		}
	}
	f.Fuzz(func(t *testing.T, url string) {
		run, m, ok := ReadMark(url)
		if !strings.HasPrefix(url, run) || strings.Contains(run, "#") {
			t.Errorf("the run is %q", run)
		}
		if !ok {
			if m != (Mark{}) {
				t.Errorf("it is none, and gives %+v", m)
			}
			return
		}
		if back := run + "#" + m.String(); back != url {
			t.Errorf("it is written as %q", back)
		}
		if m.Skipped > m.Tests || m.Flaky > m.Tests || m.Coverage > 1000 {
			t.Errorf("%+v cannot be", m)
		}
		if counts := m.Counts(); strings.Contains(counts, "-") || len(counts) > 100 {
			t.Errorf("it is told as %q", counts)
		}
	})
}
