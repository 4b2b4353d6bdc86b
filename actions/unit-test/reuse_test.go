package main

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/org/promote/pkg/gha"
	"github.com/org/promote/pkg/github"
	"github.com/org/promote/pkg/tests"
)

// world answers what the search asks, and writes down the questions.
type world struct {
	trees    map[string]string
	statuses map[string][]github.Written
	heads    []string
	fail     error
	asked    []string
}

func (w *world) Tree(_ context.Context, commit string) (string, error) {
	w.asked = append(w.asked, "tree "+commit)
	return w.trees[commit], w.fail
}

func (w *world) History(_ context.Context, commit, name string) ([]github.Written, error) {
	w.asked = append(w.asked, "history "+commit)
	if name != statusContext {
		return nil, errors.New("another context")
	}
	return w.statuses[commit], w.fail
}

func (w *world) PullHeads(_ context.Context, commit string) ([]string, error) {
	w.asked = append(w.asked, "pulls "+commit)
	return w.heads, w.fail
}

func TestSearch(t *testing.T) {
	mark := "#" + tests.Mark{Tree: aTree, Suite: aSuite}.String()
	success := []github.Written{{Status: github.Status{State: "success", URL: someRuns + "1" + mark}, ByBot: true}}
	failure := []github.Written{{Status: github.Status{State: "failure", URL: someRuns + "2" + mark}, ByBot: true}}
	same := func(commits ...string) map[string]string {
		trees := map[string]string{}
		for _, c := range commits {
			trees[c] = aTree
		}
		return trees
	}
	for name, test := range map[string]struct {
		world   world
		hints   hints
		parents []string
		commit  string
		asked   []string
	}{
		"a re-run asks about its own commit alone": {
			world{statuses: map[string][]github.Written{"head": success}}, hints{before: "before"}, nil, "head", []string{"history head"},
		},
		"an amended commit asks where the branch was": {
			world{trees: same("before"), statuses: map[string][]github.Written{"before": success}}, hints{before: "before", forced: true, fresh: true}, []string{"parent"},
			"before", []string{"tree before", "history before"},
		},
		"a merge asks for its pull request": {
			world{trees: same("pr"), heads: []string{"pr"}, statuses: map[string][]github.Written{"pr": success}}, hints{before: "before", fresh: true}, []string{"before"},
			"pr", []string{"pulls head", "tree pr", "history pr"},
		},
		"a merge that no pull request is known of asks for what it merged": {
			world{trees: same("merged"), statuses: map[string][]github.Written{"merged": success}}, hints{before: "base", fresh: true}, []string{"base", "merged"},
			"merged", []string{"pulls head", "tree merged", "history merged"},
		},
		"a commit of its own tree asks two questions": {
			world{}, hints{before: "parent", fresh: true}, []string{"parent"}, "", []string{"pulls head", "tree parent"},
		},
		"no commit is asked about twice, and of many pull requests two": {
			world{heads: []string{"head", "a", "b"}}, hints{before: "a", forced: true, fresh: true}, []string{"a"}, "", []string{"tree a", "pulls head"},
		},
		"a failure of the tree ends the search": {
			world{trees: same("before", "parent"), statuses: map[string][]github.Written{"before": failure, "parent": success}}, hints{before: "before", forced: true, fresh: true}, []string{"parent"},
			"", []string{"tree before", "history before"},
		},
		"what cannot be asked is no proof": {
			world{fail: errors.New("GitHub answers 500"), trees: same("parent"), statuses: map[string][]github.Written{"head": success, "parent": success}}, hints{}, []string{"parent"},
			"", []string{"history head", "pulls head", "tree parent"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := search{
				github: &test.world, action: gha.New(func(string) string { return "" }, &bytes.Buffer{}), head: "head",
				trust: trust{tree: aTree, suite: aSuite, runs: someRuns},
			}
			got, ok := s.find(t.Context(), test.hints, test.parents)
			if got.commit != test.commit || ok != (test.commit != "") {
				t.Errorf("got %+v, %v", got, ok)
			}
			if diff := cmp.Diff(test.asked, test.world.asked); diff != "" {
				t.Error(diff)
			}
		})
	}
	t.Run("a GitHub that does not answer ends the search with a word", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 0)
		defer cancel()
		var log bytes.Buffer
		s := search{
			github: &world{fail: context.DeadlineExceeded}, action: gha.New(func(string) string { return "" }, &log), head: "head", trust: trust{tree: aTree},
		}
		if _, ok := s.find(ctx, hints{}, []string{"parent"}); ok || !strings.Contains(log.String(), "GitHub did not answer in time") {
			t.Errorf("got %v and %q", ok, log.String())
		}
	})
	t.Run("a cancel ends the search without another question", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		w := &world{fail: context.Canceled}
		s := search{github: w, action: gha.New(func(string) string { return "" }, &bytes.Buffer{}), head: "head", trust: trust{tree: aTree}}
		if _, ok := s.find(ctx, hints{before: "before"}, []string{"parent"}); ok || slices.ContainsFunc(w.asked, func(q string) bool { return strings.HasPrefix(q, "tree") }) {
			t.Errorf("asked %v", w.asked)
		}
	})
}

func TestHints(t *testing.T) {
	before := strings.Repeat("1", 40)
	for name, test := range map[string]struct {
		event, payload, attempt string
		want                    hints
	}{
		"a push":                          {"push", `{"before":"` + before + `","forced":true,"head_commit":{"distinct":true}}`, "1", hints{before: before, forced: true, fresh: true}},
		"a re-run of a push":              {"push", `{"before":"` + before + `","head_commit":{"distinct":true}}`, "2", hints{before: before}},
		"a commit that was pushed before": {"push", `{"before":"` + before + `","head_commit":{"distinct":false}}`, "1", hints{before: before}},
		"a new branch":                    {"push", `{"before":"` + strings.Repeat("0", 40) + `"}`, "1", hints{}},
		"a pull request that moved":       {"pull_request", `{"before":"` + before + `"}`, "1", hints{before: before, forced: true}},
		"a pull request that was opened":  {"pull_request", `{}`, "1", hints{forced: true}},
		"a merge queue":                   {"merge_group", `{}`, "1", hints{fresh: true}},
		"a hostile commit":                {"push", `{"before":"../../user"}`, "1", hints{}},
		"a payload of other types":        {"push", `{"before":7}`, "1", hints{}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := readHints(test.event, []byte(test.payload), test.attempt); got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}
