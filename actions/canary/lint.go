package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/org/promote/pkg/change"
	"github.com/org/promote/pkg/gha"
	"github.com/org/promote/pkg/job"
	"github.com/org/promote/pkg/manifest"
	"github.com/org/promote/pkg/release"
	"github.com/org/promote/pkg/report"
)

// lint renders the manifests, with placeholders for values that are looked up, and gives what they risk. It asks nobody.
func lint(a *gha.Action, in inputs) ([]manifest.Advice, error) {
	files, err := manifest.Load(in.Manifests)
	if err != nil {
		err = fmt.Errorf("reading the input `manifests`: %w", err)
	}
	values, valuesErr := manifest.ParseValues(in.Values, a.Env().Workspace)
	if valuesErr != nil {
		valuesErr = fmt.Errorf("reading the input `values`: %w", valuesErr)
	}
	if err := errors.Join(err, valuesErr); err != nil {
		return nil, err
	}
	objects, err := release.Preview(release.Request{
		Service: in.Service, Environment: in.Environment, Namespace: in.Namespace, Image: in.Image + "@" + job.NoDigest,
		Change: change.Change{Head: job.NoCommit}, Files: manifest.Within(a.Env().Workspace, files), Values: values, Run: a.Env().Run(), Stepwise: true,
	})
	if err != nil {
		return nil, err
	}
	return objects.Lint(), nil
}

// adviceList is what the manifests risk, for the page.
func adviceList(advice []manifest.Advice) string {
	if len(advice) == 0 {
		return "\nNothing in the manifests puts requests at risk that this could see.\n"
	}
	var b strings.Builder
	b.WriteString("\n⚠️ What the manifests risk:\n\n")
	for _, x := range advice {
		b.WriteString("- " + report.Escape(x.String()) + "\n")
	}
	return b.String()
}
