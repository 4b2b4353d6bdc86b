package change

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// payload is the part of GitHub's event payloads that is read here. All events share the names.
type payload struct {
	Action     string         `json:"action"`
	Ref        string         `json:"ref"`
	After      string         `json:"after"`
	Deleted    bool           `json:"deleted"`
	Repository repository     `json:"repository"`
	Sender     user           `json:"sender"`
	Pull       *pull          `json:"pull_request"`
	Review     *review        `json:"review"`
	Head       *headCommit    `json:"head_commit"`
	MergeGroup *mergeGroup    `json:"merge_group"`
	Inputs     map[string]any `json:"inputs"`
}

type repository struct {
	FullName string `json:"full_name"`
}

type user struct {
	Login string `json:"login"`
}

type pull struct {
	Number int    `json:"number"`
	State  string `json:"state"`
	Title  string `json:"title"`
	User   user   `json:"user"`
	Head   branch `json:"head"`
	Base   branch `json:"base"`
}

// branch is one side of a pull request. Repo is null when the fork it came from is gone.
type branch struct {
	Ref  string      `json:"ref"`
	SHA  string      `json:"sha"`
	Repo *repository `json:"repo"`
}

type review struct {
	State    string `json:"state"`
	CommitID string `json:"commit_id"`
	User     user   `json:"user"`
}

type headCommit struct {
	Message string `json:"message"`
}

type mergeGroup struct {
	HeadSHA string `json:"head_sha"`
	HeadRef string `json:"head_ref"`
	BaseRef string `json:"base_ref"`
}

// readers holds the one way to read each event that promote knows.
var readers = map[string]func(payload) (Change, error){
	"push":                fromPush,
	"pull_request":        fromPullRequest,
	"pull_request_review": fromReview,
	"merge_group":         fromMergeGroup,
	"workflow_dispatch":   fromDispatch,
}

// FromEvent reads the payload of a GitHub event. The head is the pull request's head commit, or the commit a push put on
// the branch. Errors: *Neutral when there is nothing to do, *Refusal for events that must not be used, others for payloads
// that do not read; all problems of one payload come in one error.
func FromEvent(event string, data []byte) (Change, error) {
	if event == "pull_request_target" {
		return Change{}, &Refusal{
			Subject: "event pull_request_target",
			Reason:  "it runs with this repository's secrets on code from anybody's fork",
			Fix:     "use on: pull_request in the workflow",
		}
	}
	read, ok := readers[event]
	if !ok {
		return Change{}, &Refusal{
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

func fromPush(p payload) (Change, error) {
	if p.Deleted || deleted(p.After) {
		return Change{}, &Neutral{Reason: fmt.Sprintf("%s was deleted", bounded(p.Ref))}
	}
	name, ok := strings.CutPrefix(p.Ref, "refs/heads/")
	if !ok {
		return Change{}, &Neutral{Reason: fmt.Sprintf("%s is not a branch", bounded(p.Ref))}
	}
	title := ""
	if p.Head != nil {
		title, _, _ = strings.Cut(p.Head.Message, "\n")
	}
	c := Change{Head: p.After, HeadRef: name, Title: title, Author: p.Sender.Login}
	return c, errors.Join(CheckCommit("after", p.After), checkRef("ref", name))
}

func fromPullRequest(p payload) (Change, error) {
	switch p.Action {
	case "opened", "synchronize", "reopened", "ready_for_review":
	default:
		return Change{}, &Neutral{Reason: fmt.Sprintf("a pull request that was %q brings no new commit", bounded(p.Action))}
	}
	return fromPull(p)
}

func fromReview(p payload) (Change, error) {
	if p.Action != "submitted" {
		return Change{}, &Neutral{Reason: fmt.Sprintf("a review that was %q is no approval", bounded(p.Action))}
	}
	if p.Review == nil {
		return Change{}, errors.New("reading the payload of event \"pull_request_review\": it has no review")
	}
	// Webhooks say "approved" where the REST API says "APPROVED".
	if !strings.EqualFold(p.Review.State, "approved") {
		return Change{}, &Neutral{Reason: fmt.Sprintf("a review with the state %q is no approval", bounded(p.Review.State))}
	}
	return fromPull(p)
}

func fromPull(p payload) (Change, error) {
	pr := p.Pull
	if pr == nil {
		return Change{}, errors.New("reading the payload: it has no pull_request")
	}
	if pr.State != "open" {
		return Change{}, &Neutral{Reason: fmt.Sprintf("pull request #%d is %s", pr.Number, bounded(pr.State))}
	}
	if pr.Head.Repo == nil || !strings.EqualFold(pr.Head.Repo.FullName, p.Repository.FullName) {
		return Change{}, &Neutral{Reason: fmt.Sprintf("pull request #%d comes from a fork, and forks get no environment and no secret", pr.Number)}
	}
	if pr.Number <= 0 {
		return Change{}, fmt.Errorf("reading pull_request.number %d: not a pull request's number", pr.Number)
	}
	c := Change{
		PullRequest: pr.Number, Head: pr.Head.SHA, HeadRef: pr.Head.Ref, BaseRef: pr.Base.Ref,
		Title: pr.Title, Author: pr.User.Login,
	}
	return c, errors.Join(
		CheckCommit("pull_request.head.sha", c.Head),
		checkRef("pull_request.head.ref", c.HeadRef),
		checkRef("pull_request.base.ref", c.BaseRef),
	)
}

func fromMergeGroup(p payload) (Change, error) {
	if p.Action != "checks_requested" {
		return Change{}, &Neutral{Reason: fmt.Sprintf("a merge group that was %q asks for no checks", bounded(p.Action))}
	}
	if p.MergeGroup == nil {
		return Change{}, errors.New("reading the payload of event \"merge_group\": it has no merge_group")
	}
	g := p.MergeGroup
	c := Change{
		Head:    g.HeadSHA,
		HeadRef: strings.TrimPrefix(g.HeadRef, "refs/heads/"),
		BaseRef: strings.TrimPrefix(g.BaseRef, "refs/heads/"),
		Author:  p.Sender.Login,
	}
	return c, errors.Join(
		CheckCommit("merge_group.head_sha", c.Head),
		checkRef("merge_group.head_ref", c.HeadRef),
		checkRef("merge_group.base_ref", c.BaseRef),
	)
}

// fromDispatch reads a run that a person started. The payload names a ref but no commit; an input named "commit" may.
func fromDispatch(p payload) (Change, error) {
	name := strings.TrimPrefix(p.Ref, "refs/heads/")
	c := Change{HeadRef: name, Author: p.Sender.Login}
	err := checkRef("ref", name)
	if commit, ok := p.Inputs["commit"].(string); ok && strings.TrimSpace(commit) != "" {
		c.Head = strings.TrimSpace(commit)
		err = errors.Join(err, CheckCommit("inputs.commit", c.Head))
	}
	return c, err
}
