package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/org/promote/pkg/rollout"
	"github.com/org/promote/pkg/verdict"
)

var update = flag.Bool("update", false, "write the golden files of testdata anew")

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// run is a rollout of 4 pods in three steps of 30 seconds, with a ratio and a value check. From bad on, every third request
// of the candidate fails; a bad beyond the end is a healthy run.
func run(bad time.Duration) Run {
	r := Run{
		Service: "checkout", Environment: "prod", Commit: "1f2e3d4", Title: "Ship for free above 50", Image: "registry.example.com/checkout@sha256:" + strings.Repeat("ab", 32),
		Release: "1f2e3d4-0a1b2c", Baseline: "9c8b7a6-5d4e3f", URL: "https://github.com/org/shop/actions/runs/4711/attempts/1",
		Checks: []Check{
			{Name: "errors", Max: new(0.05), Queries: []Query{{"bad", `sum(increase(r{release="$release",code=~"5.."}[$window]))`}, {"total", `sum(increase(r{release="$release"}[$window]))`}}},
			{Name: "latency", Max: new(250.0), Queries: []Query{{"query", `p95{release="$release"}`}}},
		},
	}
	steps := []rollout.Step{
		{Asked: 5, Merged: []float64{10}, Baseline: 4, Candidate: 1, Achieved: 20},
		{Asked: 50, Baseline: 4, Candidate: 4, Achieved: 50},
		{Asked: 100, Candidate: 4, Warm: 4, Achieved: 100},
	}
	res := rollout.Result{Plan: rollout.Plan{Replicas: 4, Surge: 4, Steps: steps}, Started: noon, State: rollout.State{Phase: rollout.Promoted}}
	at := noon
	move := func(kind rollout.Kind, baseline, candidate int, took time.Duration) {
		res.Moves = append(res.Moves, rollout.Move{At: at, Took: took, Action: rollout.Action{Kind: kind, Baseline: baseline, Candidate: candidate}})
		at = at.Add(took)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for i, s := range steps {
		switch {
		case i == 0:
			move(rollout.Scale, 4, 1, 6*time.Second)
			move(rollout.Admit, 0, 0, time.Second)
		case s.Full():
			move(rollout.Scale, 4, 4, 200*time.Millisecond)
			move(rollout.Promote, 0, 0, 900*time.Millisecond)
		default:
			move(rollout.Scale, s.Baseline, s.Candidate, 8*time.Second)
		}
		res.Share = s.Achieved
		since := at
		var candidate, baseline verdict.Counts
		for at.Sub(since) < 30*time.Second {
			at = at.Add(time.Second)
			ill := at.Sub(noon) >= bad
			serve(random, &candidate, 40*s.Achieved/100, ill)
			serve(random, &baseline, 40*(100-s.Achieved)/100, false)
			sample := look(at, since, i, s, candidate, baseline, 140+40*random.Float64())
			res.Samples = append(res.Samples, sample)
			if ill && candidate.Bad >= 12 {
				failed := &res.Samples[len(res.Samples)-1].Results[0]
				failed.Outcome, failed.Reason = verdict.Fail, "too many are bad"
				res.State = rollout.State{Phase: rollout.RolledBack, Step: i, Reason: failed.String(), Cause: []verdict.Result{*failed}}
				move(rollout.Return, 0, 0, 1234*time.Millisecond)
				res.TimeToSafe, res.Ended = 1234*time.Millisecond, at
				r.Result = res
				return r
			}
		}
	}
	res.Ended = at
	r.Result = res
	return r
}

func serve(random *rand.Rand, c *verdict.Counts, requests float64, ill bool) {
	for range int(requests) {
		c.Total++
		if p := random.Float64(); p < 0.01 || ill && p < 0.33 {
			c.Bad++
		}
	}
}

func look(at, since time.Time, step int, s rollout.Step, candidate, baseline verdict.Counts, latency float64) rollout.Sample {
	res := verdict.Result{
		Check: "errors", Outcome: verdict.Pass, Reason: candidate.String(), Candidate: &candidate, Value: new(candidate.Rate()),
		Threshold: "max 5 %", Query: `sum(increase(r{release="1f2e3d4-0a1b2c"}[9s]))`,
	}
	if candidate.Total < 50 {
		res.Outcome = verdict.NotEnough
	}
	if !s.Full() {
		res.Baseline = &baseline
	}
	return rollout.Sample{
		At: at, Since: since, Step: step, Phase: rollout.Judging, Full: s.Full(), Asked: s.Asked, Achieved: s.Achieved,
		Results: []verdict.Result{res, {Check: "latency", Outcome: verdict.Pass, Reason: "within max 250", Value: &latency, Threshold: "max 250"}},
	}
}

// never is when a healthy candidate fails.
const never = time.Hour

func mustHTML(t testing.TB, r Run) string {
	t.Helper()
	page, err := HTML(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
}

func TestThePageOfARun(t *testing.T) {
	for name, r := range map[string]Run{"promoted": run(never), "rolled-back": run(52 * time.Second)} {
		t.Run(name, func(t *testing.T) {
			page, golden := mustHTML(t, r), filepath.Join("testdata", name+".html")
			if *update {
				if err := os.WriteFile(golden, []byte(page), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), page); diff != "" {
				t.Errorf("the page has changed; `go test ./pkg/report -update` takes it over, once it was looked at:\n%s", diff)
			}
		})
	}
}

func TestThePageSaysTheVerdictFirst(t *testing.T) {
	page := mustHTML(t, run(52*time.Second))
	from := 0
	for _, want := range []string{
		"<title>↩ checkout in prod: rolled back at 50 % of the pods, 9c8b7a6-5d4e3f serves</title>", "<h1>", "rolled back at 50 % of the pods",
		"too many are bad", "threshold: max 5 %", "1f2e3d4 Ship for free above 50", "Time to safe", "1.234s", "actions/runs/4711", "max 5 %", "max 250",
		"not reached", "roll back: the baseline alone takes traffic", "looks at the monitor",
	} {
		i := strings.Index(page[from:], want)
		if i < 0 {
			t.Fatalf("the page does not say %q behind what comes before it", want)
		}
		from += i
	}
}

// awful are texts that want to be more than text.
var awful = []string{
	`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `]]></svg><script>`, `' onload='x`, "\x1b[31mred\x1b[0m", "a\u202eb", "</title><script>", "{{.}}", "${x}",
	"</style><script>", "\x00\xff\xfe", "javascript:alert(1)", strings.Repeat("long<", 20_000),
}

func TestNothingOnThePageIsMoreThanText(t *testing.T) {
	for i, text := range awful {
		r := run(52 * time.Second)
		r.Service, r.Environment, r.Commit, r.Title, r.Image, r.Release, r.Baseline, r.URL = text, text, text, text, text, text, text, text
		r.Checks = []Check{{Name: text, Max: new(0.1), Queries: []Query{{text, text}}}}
		r.Result.State.Reason = text
		for j := range r.Result.Samples {
			s := &r.Result.Samples[j]
			for k := range s.Results {
				s.Results[k].Check, s.Results[k].Reason, s.Results[k].Query, s.Results[k].Threshold = text, text, text, text
			}
			s.Problem = text
		}
		r.Result.Samples[3].Results[0].Outcome = verdict.Outcome(text)
		r.Result.Moves[0].Problem, r.Result.Moves[0].Action.Kind = text, rollout.Kind(text)
		r.Result.State.Cause = []verdict.Result{{Check: text, Outcome: verdict.Outcome(text), Reason: text, Threshold: text, Query: text}}
		page := mustHTML(t, r)
		if len(page) > maxPage {
			t.Errorf("text %d: the page has %d bytes", i, len(page))
		}
		inert(t, page)
	}
}

// inert fails a page that has other elements than the template's, or attributes that do something.
func inert(t *testing.T, page string) {
	t.Helper()
	known := map[string]bool{}
	for _, m := range regexp.MustCompile(`<([a-z][a-zA-Z0-9]*)`).FindAllStringSubmatch(pageText, -1) {
		known[m[1]] = true
	}
	for _, m := range regexp.MustCompile(`<([!/]?[a-zA-Z][a-zA-Z0-9]*)([^>]*)>`).FindAllStringSubmatch(page, -1) {
		name := strings.TrimPrefix(m[1], "/")
		if !known[name] && name != "!doctype" {
			t.Errorf("the page has an element %q", m[0])
		}
		if regexp.MustCompile(`(?i)\son[a-z]+=|\ssrc=|javascript:`).MatchString(m[2]) {
			t.Errorf("the page has an element that acts: %q", m[0])
		}
	}
	for _, bad := range []string{"\x1b", "\x00", "\u202e", "<script", "NaN", "Inf", "ZgotmplZ"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page holds %q", bad)
		}
	}
}

func TestThePageAsksForNothing(t *testing.T) {
	page := mustHTML(t, run(never))
	for _, address := range regexp.MustCompile(`(?i)(?:href|src|url|import)\s*[=(]\s*["']?([^"')\s]+)`).FindAllStringSubmatch(page, -1) {
		if !strings.HasPrefix(address[1], "#") && address[1] != "https://github.com/org/shop/actions/runs/4711/attempts/1" {
			t.Errorf("the page leads to %q", address[1])
		}
	}
}

func TestEveryDrawingIsWholeAndHasWords(t *testing.T) {
	page := mustHTML(t, run(52*time.Second))
	drawings := regexp.MustCompile(`(?s)<svg class="plot".*?</svg>`).FindAllString(page, -1)
	if len(drawings) != 3 {
		t.Fatalf("there are %d drawings, want the timeline and two checks", len(drawings))
	}
	for _, d := range drawings {
		if !strings.Contains(d, "<title id=") || !strings.Contains(d, "<desc id=") || !strings.Contains(d, `role="img"`) {
			t.Errorf("a drawing has no words: %.200s", d)
		}
		for decoder := xml.NewDecoder(strings.NewReader(d)); ; {
			if _, err := decoder.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("a drawing is broken: %v", err)
			}
		}
	}
}

func TestALongRunStaysSmall(t *testing.T) {
	r := run(never)
	first := r.Result.Samples[0]
	r.Result.Samples = nil
	for c := range 60 {
		r.Checks = append(r.Checks, Check{Name: fmt.Sprintf("check %d", c), Max: new(0.1)})
	}
	for i := range 6000 {
		s := first
		s.At, s.Since, s.Step = noon.Add(time.Duration(i)*time.Second), noon.Add(time.Duration(i/2)*2*time.Second), min(2, i/2000)
		s.Results = nil
		for c := range 60 {
			counts := verdict.Counts{Bad: float64(i % 7), Total: float64(i)}
			s.Results = append(s.Results, verdict.Result{Check: fmt.Sprintf("check %d", c), Outcome: []verdict.Outcome{verdict.Pass, verdict.NoData}[i%2], Reason: strings.Repeat("x", 1000), Candidate: &counts, Baseline: &counts})
		}
		r.Result.Samples = append(r.Result.Samples, s)
		r.Result.Moves = append(r.Result.Moves, rollout.Move{At: s.At, Took: time.Second, Action: rollout.Action{Kind: rollout.Return}, Problem: strings.Repeat("y", 1000)})
	}
	r.Result.Ended = noon.Add(6000 * time.Second)
	page := mustHTML(t, r)
	if len(page) > maxPage {
		t.Errorf("the page has %d bytes", len(page))
	}
	if !strings.Contains(page, "of 6000 looks at the monitor; run.json") || !strings.Contains(page, "There is no room here for") {
		t.Error("the page does not say what it leaves out")
	}
}

func TestOddNumbersDrawNothingOdd(t *testing.T) {
	r := run(never)
	for i, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), 1e308, -1e308, 0, -5} {
		r.Result.Samples[i].Results[0].Candidate = &verdict.Counts{Bad: v, Total: v}
		r.Result.Samples[i+10].Results[1].Value = &v
	}
	inert(t, mustHTML(t, r))
}

func TestARunWithoutAnythingIsStillAPage(t *testing.T) {
	for _, r := range []Run{{}, {Result: rollout.Result{Samples: []rollout.Sample{{}}}}, {Result: rollout.Result{Moves: []rollout.Move{{}}}}} {
		page := mustHTML(t, r)
		inert(t, page)
		if !bytes.Contains([]byte(page), []byte("abandoned")) {
			t.Error("an unknown phase is no success")
		}
	}
}

func TestWilsonsInterval(t *testing.T) {
	for _, c := range []struct {
		counts    verdict.Counts
		low, high float64
	}{
		// By hand from the formula; 0 of n ends at z²/(n+z²).
		{verdict.Counts{Bad: 0, Total: 10}, 0, 27.75},
		{verdict.Counts{Bad: 5, Total: 10}, 23.66, 76.34},
		{verdict.Counts{Bad: 10, Total: 10}, 72.25, 100},
		{verdict.Counts{Bad: 10, Total: 1000}, 0.544, 1.831},
		{verdict.Counts{}, 0, 100},
	} {
		low, high := wilson(c.counts)
		if math.Abs(low-c.low) > 0.01 || math.Abs(high-c.high) > 0.01 {
			t.Errorf("%v: got %.3f to %.3f, want %v to %v", c.counts, low, high, c.low, c.high)
		}
	}
}

func TestThinningKeepsPeaksAndEnds(t *testing.T) {
	var points []point
	for i := range 10_000 {
		points = append(points, point{at: noon.Add(time.Duration(i) * time.Second), y: 1})
	}
	points[4567].y, points[7654].y = 9, -9
	got := thin(points, 100)
	if len(got) > 100 || got[0] != points[0] || got[len(got)-1] != points[9999] {
		t.Errorf("%d points are left", len(got))
	}
	high, low := false, false
	for i, p := range got {
		high, low = high || p.y == 9, low || p.y == -9
		if i > 0 && p.at.Before(got[i-1].at) {
			t.Error("time runs backwards")
		}
	}
	if !high || !low {
		t.Error("a peak is lost")
	}
}

func TestScalesHaveRoundEnds(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   string
	}{
		{[]float64{0.3, 7.3}, "0 2 4 6 8"},
		{[]float64{100}, "0 25 50 75 100"},
		{[]float64{-3, 12}, "-5 0 5 10 15"},
		{nil, "0 0.25 0.5 0.75 1"},
		{[]float64{0.0004}, "0 0.0001 0.0002 0.0003 0.0004"},
	} {
		var texts []string
		for _, tick := range newScale(0, 100, c.values...).ticks("") {
			texts = append(texts, tick.Text)
		}
		if got := strings.Join(texts, " "); got != c.want {
			t.Errorf("%v: got %s, want %s", c.values, got, c.want)
		}
	}
}
