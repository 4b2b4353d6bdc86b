package demo

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/org/promote/lab/show"
)

// aCanary is a scene whose canary has written its files, and the line in which it says where.
func aCanary(t *testing.T) (s *scene, line string) {
	t.Helper()
	s = &scene{dir: t.TempDir(), out: t.Output(), witness: &witness{}}
	folder := filepath.Join(s.dir, "act", "tmp", "promote", "checkout-prod-9-1")
	write(t, filepath.Join(folder, "run.json"), `{"environment":"prod","release":"be52e2d-1a2b3c","result":{"state":{"phase":"rolled-back","reason":"too many are bad"},"share":20}}`)
	write(t, filepath.Join(folder, "report.html"), "<p>a report")
	return s, "report: " + filepath.Join(folder, "report.html") + "; `canary replay -run` judges run.json beside it again"
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestACanarysReportIsKept(t *testing.T) {
	t.Run("under the number of its run", func(t *testing.T) {
		s, line := aCanary(t)
		if err := s.keepReport(9, line); err != nil {
			t.Fatal(err)
		}
		if err := os.RemoveAll(filepath.Join(s.dir, "act")); err != nil {
			t.Fatal(err)
		}
		want := show.Canary{
			Run: 9, Environment: "prod", Release: "be52e2d-1a2b3c", Phase: "rolled-back", Reason: "too many are bad", Share: 20,
			Report: "reports/09-checkout-prod-9-1/report.html",
		}
		if len(s.canaries) != 1 || s.canaries[0] != want {
			t.Fatalf("got %+v", s.canaries)
		}
		for _, name := range []string{"report.html", "run.json"} {
			if data, err := os.ReadFile(filepath.Join(s.dir, "reports", "09-checkout-prod-9-1", name)); err != nil || len(data) == 0 {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
	t.Run("not out of other lines", func(t *testing.T) {
		s, _ := aCanary(t)
		for _, line := range []string{"", "report: none", "a report: /tmp/report.html", "step 1: asked 5 %"} {
			if err := s.keepReport(9, line); err != nil || len(s.canaries) > 0 {
				t.Errorf("%q: %v, %v", line, err, s.canaries)
			}
		}
	})
	t.Run("not from outside of the demo's folder", func(t *testing.T) {
		s, _ := aCanary(t)
		other, line := aCanary(t)
		if err := os.Symlink(filepath.Join(other.dir, "act"), filepath.Join(s.dir, "link")); err != nil {
			t.Fatal(err)
		}
		for _, line := range []string{line, strings.Replace(line, filepath.Join(other.dir, "act"), filepath.Join(s.dir, "link"), 1)} {
			if err := s.keepReport(9, line); err == nil || len(s.canaries) > 0 {
				t.Errorf("%s: kept", line)
			}
		}
	})
	t.Run("or it is said that it is not there", func(t *testing.T) {
		s, line := aCanary(t)
		if err := os.RemoveAll(filepath.Join(s.dir, "act")); err != nil {
			t.Fatal(err)
		}
		if err := s.keepReport(9, line); err == nil || !strings.Contains(err.Error(), "run 9") {
			t.Errorf("got %v", err)
		}
	})
}

func TestACanaryThatMovedTrafficMustHaveLeftItsReport(t *testing.T) {
	noon := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	at := func(s int) time.Time { return noon.Add(time.Duration(s) * time.Second) }
	played := func(t *testing.T) (*scene, string) {
		s, line := aCanary(t)
		s.record = []show.Run{{ID: 4, Lane: "prod", Began: at(0), Ended: at(10)}, {ID: 9, Lane: "prod", Began: at(20), Ended: at(40)}}
		s.witness.selectors = []selection{
			{Environment: "prod", Release: "749f17b-0a0a0a", To: "749f17b-0a0a0a", Time: at(5)},
			{Environment: "stage", To: bothReleases, Time: at(6)},
			{Environment: "prod", To: bothReleases, Time: at(30)},
		}
		return s, line
	}
	t.Run("it has", func(t *testing.T) {
		s, line := played(t)
		if err := s.keepReport(9, line); err != nil {
			t.Fatal(err)
		}
		if e := s.leftReports(); !e.ok || e.seen != "1 did" {
			t.Errorf("got %+v", e)
		}
	})
	t.Run("it has not", func(t *testing.T) {
		s, _ := played(t)
		if e := s.leftReports(); e.ok || e.seen != "0 did, 1 did not" {
			t.Errorf("got %+v", e)
		}
	})
	t.Run("one of two has", func(t *testing.T) {
		s, line := played(t)
		s.witness.selectors[0].To = bothReleases
		if err := s.keepReport(9, line); err != nil {
			t.Fatal(err)
		}
		if e := s.leftReports(); e.ok || e.seen != "1 did, 1 did not" {
			t.Errorf("got %+v", e)
		}
	})
	t.Run("another one has", func(t *testing.T) {
		s, line := played(t)
		if err := s.keepReport(4, line); err != nil {
			t.Fatal(err)
		}
		if e := s.leftReports(); e.ok {
			t.Errorf("got %+v", e)
		}
	})
	t.Run("a report that was lost is told", func(t *testing.T) {
		s, line := played(t)
		if err := s.keepReport(9, line); err != nil {
			t.Fatal(err)
		}
		s.lost = errors.New("no room")
		if e := s.leftReports(); e.ok || !strings.Contains(e.seen, "no room") {
			t.Errorf("got %+v", e)
		}
	})
}

func TestProblemsAreTakenApart(t *testing.T) {
	one, two, three := errors.New("one"), errors.New("two"), errors.New("three")
	got := problems(errors.Join(one, errors.Join(two, fmt.Errorf("playing: %w", three))))
	if strings.Join(got, "|") != "one|two|playing: three" {
		t.Errorf("got %q", got)
	}
	if got := problems(nil); got != nil {
		t.Errorf("no error became %q", got)
	}
}

func TestWhereAChangeGotTo(t *testing.T) {
	noon := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	const head, before, after = "be52e2d4a1d1f0f6b7c8d9e0f1a2b3c4d5e6f708", "749f17b-0a0a0a", "be52e2d-1b1b1b"
	played := func(change func(*part)) *part {
		p := &part{
			number: 2, head: head, merged: "c0ffee", began: noon, ended: noon.Add(time.Minute),
			before: map[string]string{"prod": before}, after: map[string]string{"prod": before},
		}
		change(p)
		return p
	}
	move := []selection{{Environment: "prod", To: bothReleases, Time: noon.Add(time.Second)}}
	for name, test := range map[string]struct {
		part  *part
		moves []selection
		want  show.Outcome
	}{
		"production serves it":               {played(func(p *part) { p.after["prod"] = after }), move, show.Promoted},
		"traffic moved there and back":       {played(func(*part) {}), move, show.RolledBack},
		"nothing moved":                      {played(func(*part) {}), nil, show.Refused},
		"no pull request":                    {played(func(p *part) { p.number = 0 }), nil, show.TakenBack},
		"the play ended in it":               {played(func(p *part) { p.broken, p.merged = true, "" }), nil, show.Broken},
		"it never began":                     {&part{}, move, ""},
		"another release serves production":  {played(func(p *part) { p.after["prod"] = "0000000-000000" }), move, show.Broken},
		"moves before and after are nothing": {played(func(*part) {}), []selection{{Environment: "prod", Time: noon.Add(-time.Second)}, {Environment: "prod", Time: noon.Add(time.Hour)}}, show.Refused},
	} {
		t.Run(name, func(t *testing.T) {
			s := &scene{witness: &witness{selectors: test.moves}}
			if got := s.outcome(test.part); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
