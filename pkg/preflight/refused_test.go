package preflight

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/org/promote/pkg/change"
)

func TestEachProblemOfTheInputsIsAFinding(t *testing.T) {
	got := Inputs([]string{`input "image" is required: name the repository`, `input "context" is "x", which is no folder; put actions/checkout before this step`, "strange"})
	want := []Finding{
		{Area: "inputs", Subject: "image", State: Wrong, Told: "is required: name the repository"},
		{Area: "inputs", Subject: "context", State: Wrong, Told: `is "x", which is no folder`, Fix: "put actions/checkout before this step"},
		{Area: "inputs", Subject: "all", State: Wrong, Told: "strange"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := Inputs(nil); len(got) != 1 || got[0].State != Good {
		t.Errorf("got %+v", got)
	}
}

func TestEachProblemThatAnErrorIsJoinedOfIsAFinding(t *testing.T) {
	got := Refused("registry", "r", errors.Join(
		errors.New(`opening repository "r": it does not exist; make it with`+"\n  aws ecr create-repository"),
		errors.Join(errors.New("a; b; c"), errors.New("it is gone\nfor good")),
		fmt.Errorf("around: %w", &change.Refusal{Subject: "the folder", Reason: "it holds another commit", Fix: "check out this one"}),
		&change.Neutral{Reason: "it is a draft"},
		fmt.Errorf("both %w and %w; mend them", errors.New("one"), errors.New("two")),
	))
	want := []Finding{
		{Area: "registry", Subject: "r", State: Wrong, Told: `opening repository "r": it does not exist`, Fix: "make it with\n  aws ecr create-repository"},
		{Area: "registry", Subject: "r", State: Wrong, Told: "a; b", Fix: "c"},
		{Area: "registry", Subject: "r", State: Wrong, Told: "it is gone", Fix: "see\nfor good"},
		{Area: "registry", Subject: "r", State: Wrong, Told: "the folder: it holds another commit", Fix: "check out this one"},
		{Area: "registry", Subject: "r", State: Noted, Told: "there is nothing to do: it is a draft"},
		{Area: "registry", Subject: "r", State: Wrong, Told: "both one and two", Fix: "mend them"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := Refused("a", "b", nil); got != nil {
		t.Errorf("got %+v", got)
	}
}
