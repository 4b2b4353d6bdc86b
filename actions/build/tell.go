package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/org/promote/pkg/change"
	"github.com/org/promote/pkg/gha"
	"github.com/org/promote/pkg/github"
)

// statusContext is the name of the commit status that branch protection can require.
const statusContext = "promote/build"

// tell says on GitHub and in the run what happens. Telling never decides: what GitHub won't take is a warning that names the
// permission to add, and the build's result stands.
type tell struct {
	action *gha.Action
	github *github.Client
	change change.Change
}

// start marks the head commit as being built.
func (t tell) start(ctx context.Context) { t.status(ctx, github.Pending, "building the image") }

// end writes status, outputs and summary. Its error is about the outputs and the summary, which later steps rely on.
func (t tell) end(ctx context.Context, in inputs, r result, failure error) error {
	var cancelled *gha.Cancelled
	switch {
	case errors.As(failure, &cancelled):
		t.status(ctx, github.Broken, cancelled.Error())
	case failure != nil:
		line, _, _ := strings.Cut(failure.Error(), "\n")
		t.status(ctx, github.Failure, line)
	case r.reused:
		t.status(ctx, github.Success, fmt.Sprintf("reused %s (%s)", short(r.Digest), size(r.Size)))
	default:
		t.status(ctx, github.Success, fmt.Sprintf("built %s (%s) in %s", short(r.Digest), size(r.Size), round(r.took)))
	}
	page := t.action.Summary(summary(in, t.change, r, failure))
	if failure != nil {
		return page
	}
	return errors.Join(
		t.action.SetOutput("digest", r.Digest),
		t.action.SetOutput("image", r.reference),
		t.action.SetOutput("tags", strings.Join(r.Tags, ",")),
		t.action.SetOutput("reused", strconv.FormatBool(r.reused)),
		t.action.SetOutput("size", strconv.FormatInt(r.Size, 10)),
		page,
	)
}

func (t tell) status(ctx context.Context, state github.State, text string) {
	err := t.github.SetStatus(ctx, t.change.Head, github.Status{
		Context: statusContext, State: state, Description: text, URL: t.action.Env().RunURL,
	})
	if err != nil {
		t.action.Warningf("telling GitHub: %v", err)
	}
}
