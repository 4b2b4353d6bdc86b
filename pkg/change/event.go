package change

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// readers holds the one way to read each event that promote knows.
var readers = map[string]func(payload) (Change, error){
	"push":                        fromPush,
	"pull_request":                fromPullRequest,
	"pull_request_review":         fromReview,
	"pull_request_review_comment": fromReviewComment,
	"merge_group":                 fromMergeGroup,
	"workflow_dispatch":           fromDispatch,
}

// FromEvent reads the payload of a GitHub event. The head is the pull request's head commit, or the commit a push put on
// the branch. Errors: *Neutral when there is nothing to do, *Refusal for events that must not be used, others for payloads
// that do not read; all problems of one payload come in one error. What each event means is decided once, and stands as a
// table in testdata/decisions.golden.
func FromEvent(event string, data []byte) (Change, error) {
	if event == "pull_request_target" {
		return Change{}, &Refusal{
			Name:    "pull-request-target",
			Subject: "event pull_request_target",
			Reason:  "it runs with this repository's secrets on code from anybody's fork",
			Fix:     "use on: pull_request in the workflow",
		}
	}
	read, ok := readers[event]
	if !ok {
		return Change{}, &Refusal{
			Name:    "unknown-event",
			Subject: fmt.Sprintf("event %q", bounded(event)),
			Reason:  "it names no change",
			Fix:     "run on push, pull_request, pull_request_review, merge_group or workflow_dispatch",
		}
	}
	var p payload
	if err := json.Unmarshal(data, &p); err != nil {
		return Change{}, fmt.Errorf("reading the payload of event %q: %w", event, err)
	}
	if err := CheckRepository("repository.full_name", p.Repository.FullName); err != nil {
		return Change{}, err
	}
	c, err := read(p)
	if err != nil {
		return Change{}, err
	}
	c.Event, c.Repository = event, p.Repository.FullName
	return c, nil
}

// fromPush reads a push. A merge queue's own branch (gh-readonly-queue/…) is a branch like any other: its commit is what
// will land, so its unit tests are worth running.
func fromPush(p payload) (Change, error) {
	name, branch := strings.CutPrefix(p.Ref, "refs/heads/")
	tag, isTag := strings.CutPrefix(p.Ref, "refs/tags/")
	gone := p.Deleted || deleted(p.After)
	switch {
	case isTag && gone:
		return Change{}, neutral("tag-deleted", "tag %s was deleted", told(tag))
	case isTag:
		return Change{}, neutral("tag", "tag %s is not a branch, and its commit is promoted when it comes by one", told(tag))
	case gone:
		return Change{}, neutral("branch-deleted", "%s was deleted", told(p.Ref))
	case !branch:
		return Change{}, neutral("not-a-branch", "%s is not a branch", told(p.Ref))
	}
	title := ""
	if p.Head != nil {
		title = titled(p.Head.Message)
	}
	c := Change{Head: p.After, HeadRef: name, Title: title, Author: told(p.Sender.Login)}
	return c, errors.Join(CheckCommit("after", p.After), checkRef("ref", name))
}

func fromMergeGroup(p payload) (Change, error) {
	switch p.Action {
	case "checks_requested":
	case "destroyed":
		return Change{}, neutral("merge-group-destroyed", "the merge group is gone (%s); what it landed comes as a push", told(p.Reason))
	default:
		return Change{}, neutral("unknown-action", "a merge group that was %q asks for no checks", bounded(p.Action))
	}
	if p.MergeGroup == nil {
		return Change{}, errors.New("reading the payload of event \"merge_group\": it has no merge_group")
	}
	g := p.MergeGroup
	c := Change{
		Head:    g.HeadSHA,
		HeadRef: strings.TrimPrefix(g.HeadRef, "refs/heads/"),
		BaseRef: strings.TrimPrefix(g.BaseRef, "refs/heads/"),
		Author:  told(p.Sender.Login),
	}
	return c, errors.Join(
		CheckCommit("merge_group.head_sha", c.Head),
		checkRef("merge_group.head_ref", c.HeadRef),
		checkRef("merge_group.base_ref", c.BaseRef),
	)
}

// fromDispatch reads a run that a person started. The payload names a ref but no commit; an input named "commit" may.
func fromDispatch(p payload) (Change, error) {
	if tag, isTag := strings.CutPrefix(p.Ref, "refs/tags/"); isTag {
		return Change{}, &Refusal{
			Name:    "dispatch-on-tag",
			Subject: "a run on tag " + fmt.Sprintf("%q", bounded(tag)),
			Reason:  "a tag belongs to no branch, so nothing says which pull request brought its commit",
			Fix:     "start the workflow on the branch; name an older commit in the input `commit`",
		}
	}
	name := strings.TrimPrefix(p.Ref, "refs/heads/")
	c := Change{HeadRef: name, Author: told(p.Sender.Login)}
	err := checkRef("ref", name)
	if commit, ok := p.Inputs["commit"].(string); ok && strings.TrimSpace(commit) != "" {
		c.Head = strings.TrimSpace(commit)
		err = errors.Join(err, CheckCommit("inputs.commit", c.Head))
	}
	return c, err
}

// neutral is a Neutral with its name.
func neutral(name, format string, args ...any) *Neutral {
	return &Neutral{Name: name, Reason: fmt.Sprintf(format, args...)}
}
