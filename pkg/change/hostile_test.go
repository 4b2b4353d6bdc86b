package change

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/org/promote/pkg/hostile"
)

// Whoever opens a pull request chooses its title, the branch's name and the commits' messages; the other fields are GitHub's, and are
// given the same here.
func TestHostilePayloads(t *testing.T) {
	for name, text := range hostile.Texts {
		t.Run(name, func(t *testing.T) {
			for what, event := range hostileEvents(text) {
				data, err := json.Marshal(event.payload)
				if err != nil {
					t.Fatal(err)
				}
				c, err := FromEvent(event.name, data)
				shown := Decision(c, err)
				if err != nil {
					shown += "\n" + err.Error()
				}
				if len(shown) > 4<<10 || !utf8.ValidString(shown) {
					t.Errorf("%s: %d bytes are told: %.200q", what, len(shown), shown)
				}
				for _, line := range strings.Split(shown, "\n") {
					if i := strings.IndexFunc(line, unseen); i >= 0 {
						t.Errorf("%s: %q is told", what, line[i:min(len(line), i+20)])
					}
				}
				checkHostile(t, what, c, err)
			}
		})
	}
}

// checkHostile says what may not be in a change, and that an error comes without one.
func checkHostile(t *testing.T, what string, c Change, err error) {
	t.Helper()
	if err != nil {
		if c != (Change{}) {
			t.Errorf("%s: an error with the change %+v", what, c)
		}
		return
	}
	for _, ref := range []string{c.HeadRef, c.BaseRef} {
		if strings.HasPrefix(ref, "-") || strings.ContainsAny(ref, " \n\t:^~\\") || strings.IndexFunc(ref, unseen) >= 0 {
			t.Errorf("%s: the branch %q", what, ref)
		}
	}
	for _, words := range []string{c.Title, c.Author} {
		if utf8.RuneCountInString(words) > titleCap+1 || strings.IndexFunc(words, unseen) >= 0 {
			t.Errorf("%s: %.300q is shown", what, words)
		}
	}
	if c.Head != head || c.Repository != "org/shop" {
		t.Errorf("%s: %s of %s", what, c.Head, c.Repository)
	}
}

func unseen(r rune) bool {
	return r != '\u200C' && r != '\u200D' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r))
}

type sent struct {
	name    string
	payload map[string]any
}

// hostileEvents are events in which one field is the text and all others are as GitHub sends them.
func hostileEvents(text string) map[string]sent {
	repo := map[string]any{"full_name": "org/shop"}
	pull := func(field string, value any) map[string]any {
		branch := func(ref string) map[string]any { return map[string]any{"ref": ref, "sha": head, "repo": repo} }
		p := map[string]any{"number": 7, "state": "open", "title": "a title", "user": map[string]any{"login": "ada"}, "head": branch("feature"), "base": branch("main")}
		switch at, below, deep := strings.Cut(field, "."); {
		case deep:
			p[at].(map[string]any)[below] = value
		case field != "":
			p[field] = value
		}
		return p
	}
	all := map[string]sent{
		"the action of a pull request": {"pull_request", map[string]any{"action": text, "repository": repo, "pull_request": pull("", nil)}},
		"the repository's name":        {"pull_request", map[string]any{"action": "opened", "repository": map[string]any{"full_name": text}, "pull_request": pull("", nil)}},
		"the state of a review":        {"pull_request_review", map[string]any{"action": "submitted", "repository": repo, "pull_request": pull("", nil), "review": map[string]any{"state": text}}},
		"the commit of a review":       {"pull_request_review", map[string]any{"action": "submitted", "repository": repo, "pull_request": pull("", nil), "review": map[string]any{"state": "approved", "commit_id": text}}},
		"the message of a commit":      {"push", map[string]any{"ref": "refs/heads/main", "after": head, "repository": repo, "head_commit": map[string]any{"message": text}, "sender": map[string]any{"login": text}}},
		"a branch that is pushed":      {"push", map[string]any{"ref": "refs/heads/" + text, "after": head, "repository": repo}},
		"a tag that is pushed":         {"push", map[string]any{"ref": "refs/tags/" + text, "after": head, "repository": repo}},
		"what is pushed":               {"push", map[string]any{"ref": text, "after": head, "repository": repo}},
		"the commit that is pushed":    {"push", map[string]any{"ref": "refs/heads/main", "after": text, "repository": repo}},
		"a merge group that ends":      {"merge_group", map[string]any{"action": "destroyed", "reason": text, "repository": repo}},
		"a merge group":                {"merge_group", map[string]any{"action": "checks_requested", "repository": repo, "merge_group": map[string]any{"head_sha": head, "head_ref": text, "base_ref": text}}},
		"an input":                     {"workflow_dispatch", map[string]any{"ref": "refs/heads/main", "repository": repo, "inputs": map[string]any{"commit": head, text: text}}},
		"the commit that is asked for": {"workflow_dispatch", map[string]any{"ref": "refs/heads/main", "repository": repo, "inputs": map[string]any{"commit": "x" + text}}},
		"the branch of a run":          {"workflow_dispatch", map[string]any{"ref": "refs/heads/" + text, "repository": repo, "inputs": map[string]any{"commit": head}}},
		"the name of the event":        {"x" + text, map[string]any{"repository": repo}},
	}
	for _, field := range []string{"title", "state", "user.login", "head.ref", "head.sha", "base.ref"} {
		all["pull_request."+field] = sent{"pull_request", map[string]any{"action": "opened", "repository": repo, "pull_request": pull(field, text)}}
	}
	return all
}

// What is refused says so; an error is no panic and no change.
func TestHostileBytesAreNoEvent(t *testing.T) {
	for name, text := range hostile.Texts {
		for event := range readers {
			if c, err := FromEvent(event, []byte(text)); err == nil || c != (Change{}) || len(err.Error()) > 1<<10 {
				t.Errorf("%s as %s: %+v, %.200v", name, event, c, err)
			}
			var neutral *Neutral
			if _, err := FromEvent(event, []byte(text)); errors.As(err, &neutral) {
				t.Errorf("%s as %s is neutral: a run that should fail ends well", name, event)
			}
		}
	}
}
