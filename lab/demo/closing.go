package demo

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/org/promote/lab/load"
	"github.com/org/promote/lab/show"
	"github.com/org/promote/lab/world"
)

// expectation is one thing that must be true at the end.
type expectation struct {
	what string
	ok   bool
	seen string
}

// closing prints the table of what happened, read back from git, the registry, the API server and the clients' own logs,
// and returns what was not as expected.
func (s *scene) closing(ctx context.Context, story []part) error {
	s.timeline.act("What happened")
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "pull request\tcommit\tunit\tbuild\ttest\tstage\tprod\trequests\tfailed")
	for i := range story {
		p := &story[i]
		if p.number == 0 {
			continue
		}
		statuses := s.statuses(p.head)
		requests, failed := s.count(p)
		fmt.Fprintf(w, "#%d %s\t%s\t%s\t%s\t%s\t%s\t%s\t%d\t%d\n", p.number, p.message, p.head[:7],
			statuses["promote/unit-test"], statuses["promote/build"], statuses["promote/test"], statuses["promote/stage"], statuses["promote/prod"], requests, failed)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(s.out)

	var all []expectation
	for i := range story {
		all = append(all, s.workflowsEnded(&story[i]))
	}
	first, good, bad, back, broken, stripped, rolled, tried := &story[0], &story[1], &story[2], &story[3], &story[4], &story[5], &story[6], &story[7]
	all = append(all, s.oneDigest(good)...)
	proven, err := s.proven(ctx, good)
	if err != nil {
		return err
	}
	all = append(all, proven)
	for _, p := range []*part{first, good, broken, stripped, rolled, tried} {
		all = append(all, s.noFailures(p))
	}
	all = append(all, s.adopted(ctx, first)...)
	all = append(all, s.rolledBack(bad)...)
	all = append(all, s.healed(back, bad)...)
	all = append(all, s.promotedByHand(back))
	all = append(all, s.testKept(broken)...)
	all = append(all, s.refused(stripped))
	all = append(all, s.takenBack(rolled, back)...)
	all = append(all, s.previewed(ctx, tried)...)
	all = append(all, s.autoscaled(ctx, tried), s.resetFirst(ctx, tried), s.leftReports())

	var problems []error
	for _, e := range all {
		s.expected = append(s.expected, show.Expectation{What: e.what, OK: e.ok, Seen: e.seen})
		fmt.Fprintf(s.out, "%s %s: %s\n", mark(e.ok), e.what, e.seen)
		if !e.ok {
			problems = append(problems, fmt.Errorf("%s: %s", e.what, e.seen))
		}
	}
	fmt.Fprintf(s.out, "\nlogs of every run, request and event: %s\n", s.dir)
	return errors.Join(problems...)
}

// workflowsEnded compares how the workflows ended with how they should have.
func (s *scene) workflowsEnded(p *part) expectation {
	names := make([]string, 0, len(p.expect))
	for name := range p.expect {
		names = append(names, name)
	}
	sort.Strings(names)
	var seen []string
	ok := len(p.results) == len(p.expect)
	for _, name := range names {
		res, ran := p.results[name]
		ok = ok && ran && res.Succeeded == p.expect[name]
		state := "did not run"
		if ran {
			state = map[bool]string{true: "succeeded", false: "failed"}[res.Succeeded]
		}
		seen = append(seen, name+" "+state)
	}
	return expectation{what: p.name() + " ran as it should", ok: ok, seen: strings.Join(seen, ", ")}
}

// oneDigest reads the image of every serving pod.
func (s *scene) oneDigest(p *part) []expectation {
	digests := map[string][]string{}
	for _, env := range world.Environments {
		for _, imageID := range p.afterPods[env] {
			_, digest, _ := strings.Cut(imageID, "@")
			digests[digest] = append(digests[digest], env)
		}
	}
	var seen []string
	for digest, envs := range digests {
		sort.Strings(envs)
		seen = append(seen, digest+" in "+strings.Join(envs, ", "))
	}
	sort.Strings(seen)
	covered := len(p.afterPods["test"]) > 0 && len(p.afterPods["stage"]) > 0 && len(p.afterPods["prod"]) > 0
	return []expectation{{what: fmt.Sprintf("#%d: one digest in all three environments", p.number), ok: len(digests) == 1 && covered, seen: strings.Join(seen, "; ")}}
}

// noFailures counts what clients saw while the part was played, everywhere.
func (s *scene) noFailures(p *part) expectation {
	requests, failed := s.count(p)
	return expectation{
		what: p.name() + ": no client noticed", ok: failed == 0 && requests > 0,
		seen: fmt.Sprintf("%d of %d requests failed", failed, requests),
	}
}

// rolledBack checks that the bad release reached production, harmed nobody but its own share, and was gone quickly.
func (s *scene) rolledBack(p *part) []expectation {
	moves := s.witness.during("prod", p)
	var admitted, back time.Time
	for _, m := range moves {
		switch {
		case m.Release == "" && admitted.IsZero():
			admitted = m.Time
		case m.Release == p.before["prod"]:
			back = m.Time
		}
	}
	records := s.loads["prod"].Records()
	summary := load.Summarize(load.Between(records, p.began, p.ended))
	foreign, late, worst := 0, 0, 0.0
	gone := s.witness.gone("prod", p.head[:7])
	for _, r := range load.Between(records, p.began, p.ended) {
		if r.Failed() && !strings.HasPrefix(r.Version, p.head[:7]) {
			foreign++
		}
		if r.Failed() && !gone.IsZero() && r.Time.After(gone) {
			late++
		}
	}
	for _, sec := range summary.Seconds {
		if share := sec.Share(p.head); share > worst {
			worst = share
		}
	}
	return []expectation{
		{what: fmt.Sprintf("#%d: the canary took traffic and was rolled back", p.number), ok: !admitted.IsZero() && back.After(admitted),
			seen: fmt.Sprintf("it served for %.1f s and reached %.0f %% of a second's requests", back.Sub(admitted).Seconds(), 100*worst)},
		{what: fmt.Sprintf("#%d: only the candidate's answers failed", p.number), ok: foreign == 0 && summary.Failures > 0,
			seen: fmt.Sprintf("%d of %d requests failed, %d of them not the candidate's", summary.Failures, summary.Requests, foreign)},
		{what: fmt.Sprintf("#%d: none failed after the rollback", p.number), ok: late == 0 && !gone.IsZero(),
			seen: fmt.Sprintf("last failure %.1f s after the patch, %d after the candidate's pods were gone", summary.LastFailure.Sub(back).Seconds(), late)},
		{what: fmt.Sprintf("#%d: production's pods are the same pods as before", p.number), ok: subset(p.beforePods["prod"], p.afterPods["prod"]) && p.after["prod"] == p.before["prod"],
			seen: fmt.Sprintf("%s serves with %d pods", p.after["prod"], len(p.afterPods["prod"]))},
	}
}

// healed checks that a revert brought every environment back to what served before, and that until then only the release
// that it took back answered badly (it serves test and stage, where clients are fewer and nobody judges).
func (s *scene) healed(p, bad *part) []expectation {
	foreign, failed := 0, 0
	for _, l := range s.loads {
		for _, r := range load.Between(l.Records(), p.began, p.ended) {
			if r.Failed() {
				failed++
			}
			if r.Failed() && !strings.HasPrefix(r.Version, bad.head[:7]) {
				foreign++
			}
		}
	}
	return append(s.oneDigest(p), expectation{
		what: fmt.Sprintf("#%d: only what it takes back failed clients of test and stage", p.number), ok: foreign == 0,
		seen: fmt.Sprintf("%d requests failed, %d of them not %s's", failed, foreign, bad.head[:7]),
	})
}

// testKept checks that a release which failed its tests never served.
func (s *scene) testKept(p *part) []expectation {
	status := s.statuses(p.head)["promote/test"]
	return []expectation{
		{what: fmt.Sprintf("#%d: test keeps the old release and its pods", p.number),
			ok:   p.after["test"] == p.before["test"] && subset(p.beforePods["test"], p.afterPods["test"]) && len(s.witness.during("test", p)) == 0,
			seen: p.after["test"] + " serves"},
		{what: fmt.Sprintf("#%d: the pull request says failure", p.number), ok: status == "failure", seen: "promote/test is " + status},
	}
}

// takenBack checks that stage serves the earlier release again, with pods of that very image, and that nothing else moved.
func (s *scene) takenBack(p, to *part) []expectation {
	image := func(pods map[string]string) string {
		for _, id := range pods {
			return id
		}
		return ""
	}
	still := true
	for _, env := range []string{"test", "prod"} {
		still = still && p.after[env] == p.before[env] && subset(p.beforePods[env], p.afterPods[env])
	}
	return []expectation{
		{what: fmt.Sprintf("%s: stage serves the release and the image of #%d again", p.name(), to.number),
			ok:   p.after["stage"] == to.after["stage"] && p.before["stage"] != p.after["stage"] && image(p.afterPods["stage"]) == image(to.afterPods["stage"]),
			seen: p.before["stage"] + " gave way to " + p.after["stage"]},
		{what: p.name() + ": test and production are left alone", ok: still, seen: p.after["test"] + " and " + p.after["prod"] + " serve there"},
	}
}

// count adds up what clients of all environments saw while a part was played.
func (s *scene) count(p *part) (requests, failed int) {
	for _, l := range s.loads {
		sum := load.Summarize(load.Between(l.Records(), p.began, p.ended))
		requests += sum.Requests
		failed += sum.Failures
	}
	return requests, failed
}

// statuses are the newest state of each context on a commit.
func (s *scene) statuses(sha string) map[string]string {
	list, err := s.repo.Statuses(sha)
	out := map[string]string{}
	if err != nil {
		return out
	}
	// The API lists the newest first.
	for i := len(list) - 1; i >= 0; i-- {
		out[list[i].Context] = list[i].State
	}
	return out
}

// subset says that every UID of a is in b too.
func subset(a, b map[string]string) bool {
	for uid := range a {
		if _, ok := b[uid]; !ok {
			return false
		}
	}
	return len(a) > 0
}

// either words a fact.
func either(is bool, yes, no string) string {
	if is {
		return yes
	}
	return no
}
