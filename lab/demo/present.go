package demo

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/org/promote/lab/load"
	"github.com/org/promote/lab/runner"
	"github.com/org/promote/lab/show"
	"github.com/org/promote/lab/world"
	"github.com/org/promote/pkg/rollout"
)

// reports is the folder in the demo's own that keeps what the canaries leave.
const reports = "reports"

// reported is how a canary says where its report is.
var reported = regexp.MustCompile(`^report: (/.+/report\.html)(;|$)`)

// keepReport copies a canary's files when its run says where they are: act removes them with its job.
func (s *scene) keepReport(id int, text string) error {
	said := reported.FindStringSubmatch(text)
	if said == nil {
		return nil
	}
	from, err := filepath.Rel(s.dir, filepath.Dir(said[1]))
	if err != nil {
		return fmt.Errorf("keeping the report of run %d: %w", id, err)
	}
	folder := filepath.Join(reports, fmt.Sprintf("%02d-%s", id, filepath.Base(from)))
	for _, name := range []string{"run.json", "report.html"} {
		if err := s.keep(filepath.Join(from, name), filepath.Join(folder, name)); err != nil {
			return fmt.Errorf("keeping the report of run %d: %w", id, err)
		}
	}
	c, err := readCanary(filepath.Join(s.dir, folder, "run.json"))
	if err != nil {
		return err
	}
	c.Run, c.Report = id, filepath.Join(folder, "report.html")
	s.mu.Lock()
	defer s.mu.Unlock()
	s.canaries = append(s.canaries, c)
	return nil
}

// keep copies a file within the demo's folder. The name is out of a log in which a service's own tests write too, so nothing, and no
// symbolic link, leads out of the folder.
func (s *scene) keep(from, to string) error {
	root, err := os.OpenRoot(s.dir)
	if err != nil {
		return err
	}
	defer root.Close()
	data, err := root.ReadFile(from)
	if err != nil {
		return err
	}
	if err := root.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return root.WriteFile(to, data, 0o644)
}

// readCanary reads what a canary wrote of itself.
func readCanary(file string) (show.Canary, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return show.Canary{}, err
	}
	var run struct {
		Service, Environment, Release, Baseline string
		Result                                  rollout.Result
	}
	if err := json.Unmarshal(data, &run); err != nil {
		return show.Canary{}, fmt.Errorf("reading %q: %w", file, err)
	}
	return show.Canary{
		Service: run.Service, Environment: run.Environment, Release: run.Release, Baseline: run.Baseline,
		Phase: string(run.Result.State.Phase), Reason: run.Result.State.Reason, Share: run.Result.Share, TimeToSafe: run.Result.TimeToSafe,
	}, nil
}

// ran notes a run of a workflow.
func (s *scene) ran(r show.Run) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.record = append(s.record, r)
}

// lane is where a runner stands.
func lane(r runner.Runner) string {
	if env, inside := strings.CutPrefix(r.Label, "promote-"); inside {
		return env
	}
	return "unit tests"
}

// present makes the page of what was played, also when that went wrong, and says where it is.
func (s *scene) present(story []part, problem error) error {
	path, err := s.seen(story, problem).Write(s.dir)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "the page of all this: file://%s\n", path)
	return nil
}

// seen gathers what was seen of the play.
func (s *scene) seen(story []part, problem error) show.Show {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := show.Show{
		Service: s.service.name, Environments: world.Environments, Began: s.timeline.start, Ended: time.Now(), Events: s.timeline.deeds(),
		Runs: slices.Clone(s.record), Moves: s.witness.moves(), Evidence: s.evidence, Canaries: slices.Clone(s.canaries),
		Expectations: s.expected, Problems: problems(problem), Clients: map[string][]load.Record{},
	}
	for env, l := range s.loads {
		w.Clients[env] = l.Records()
	}
	for i := range story {
		w.Acts = append(w.Acts, s.actOf(&story[i]))
	}
	slices.SortFunc(w.Runs, func(a, b show.Run) int { return a.Began.Compare(b.Began) })
	for i := range w.Runs {
		r := &w.Runs[i]
		for _, p := range story {
			succeeds, named := p.expect[r.Name]
			if named && !p.began.IsZero() && !r.Began.Before(p.began) && !r.Began.After(p.ended) {
				r.Expected = succeeds == r.Succeeded
			}
		}
	}
	return w
}

// actOf is a part as the page shows it.
func (s *scene) actOf(p *part) show.Act {
	a := show.Act{Title: p.title, Number: p.number, Change: p.message, Began: p.began, Ended: p.ended, Outcome: s.outcome(p)}
	if p.number > 0 {
		a.Commit, a.Statuses = p.head, map[string]string{}
		for name, state := range s.statuses(p.head) {
			a.Statuses[strings.TrimPrefix(name, "promote/")] = state
		}
	}
	return a
}

// outcome is where a part's change got to, "" for one that was not played. The caller holds the lock.
func (s *scene) outcome(p *part) show.Outcome {
	moved := len(s.witness.during("prod", p)) > 0
	switch {
	case p.began.IsZero():
		return ""
	case p.broken:
		return show.Broken
	case p.number == 0:
		return show.TakenBack
	case p.merged != "" && strings.HasPrefix(p.after["prod"], p.head[:7]):
		return show.Promoted
	case p.merged != "" && moved && p.after["prod"] == p.before["prod"]:
		return show.RolledBack
	case p.merged != "" && !moved:
		return show.Refused
	case p.merged == "" && s.statuses(p.head)["promote/test"] == "failure":
		return show.Stopped
	case p.merged == "":
		return show.Closed
	}
	return show.Broken
}

// problems takes joined errors apart.
func problems(err error) []string {
	if err == nil {
		return nil
	}
	var joined interface{ Unwrap() []error }
	if !errors.As(err, &joined) {
		return []string{err.Error()}
	}
	var all []string
	for _, one := range joined.Unwrap() {
		all = append(all, problems(one)...)
	}
	return all
}

// leftReports checks that every canary that moved production's traffic left its report, and prints where each is.
func (s *scene) leftReports() expectation {
	s.mu.Lock()
	defer s.mu.Unlock()
	moving := map[int]bool{}
	for _, m := range s.witness.moves() {
		for _, r := range s.record {
			// To serve with both releases is what a canary alone does in production.
			if m.Environment == "prod" && r.Lane == "prod" && m.To == bothReleases && m.Time.After(r.Began) && m.Time.Before(r.Ended) {
				moving[r.ID] = true
			}
		}
	}
	left := 0
	for _, c := range s.canaries {
		fmt.Fprintf(s.out, "canary of %s in %s, %s: %s\n", c.Release, c.Environment, c.Phase, filepath.Join(s.dir, c.Report))
		if moving[c.Run] {
			left++
			delete(moving, c.Run)
		}
	}
	seen := fmt.Sprintf("%d did", left)
	if len(moving) > 0 {
		seen += fmt.Sprintf(", %d did not", len(moving))
	}
	if s.lost != nil {
		seen += ": " + s.lost.Error()
	}
	return expectation{what: "every canary that moved traffic left its report", ok: left > 0 && len(moving) == 0 && s.lost == nil, seen: seen}
}
