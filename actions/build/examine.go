package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/org/promote/pkg/agnostic"
	"github.com/org/promote/pkg/contents"
	"github.com/org/promote/pkg/gha"
	"github.com/org/promote/pkg/image"
	"github.com/org/promote/pkg/regular"
	"github.com/org/promote/pkg/sbom"
)

// bill is what the image of one platform is made of.
type bill struct {
	digest    string
	predicate []byte
}

// notAgnosticError says that the image belongs to one environment.
type notAgnosticError struct{ report agnostic.Report }

func (e *notAgnosticError) Error() string {
	return fmt.Sprintf("checking the image: %d things in it belong to one environment, so nothing was pushed:\n%s"+
		"what is meant to be there goes into the input `agnostic-allow`", len(e.report.Findings), e.report)
}

// examine reads each platform's image once, before it is pushed: for what ties it to one environment, and for what it is made
// of.
func examine(ctx context.Context, a *gha.Action, in inputs, layout string) ([]bill, error) {
	if in.agnostic == agnosticOff && !in.sbom {
		return nil, nil
	}
	images, err := image.Contents(layout)
	if err != nil {
		return nil, err
	}
	var bills []bill
	var problems []error
	for _, img := range images {
		made, report, err := lookInto(ctx, in, img)
		if err != nil {
			return nil, fmt.Errorf("looking into the image %s %s: %w", img.Digest, img.Platform, err)
		}
		if made != nil {
			bills = append(bills, bill{digest: img.Digest, predicate: made})
		}
		if report != nil {
			problems = append(problems, judge(a, in, *report))
		}
	}
	return bills, errors.Join(problems...)
}

// lookInto walks through one image for everybody who wants to see it.
func lookInto(ctx context.Context, in inputs, img contents.Image) (predicate []byte, report *agnostic.Report, err error) {
	var visitors []contents.Visitor
	var scan *agnostic.Scan
	if in.agnostic != agnosticOff {
		scan = agnostic.NewScan(img, in.rules)
		visitors = append(visitors, scan)
	}
	var collector *sbom.Collector
	if in.sbom {
		collector = sbom.NewCollector()
		defer collector.Close()
		visitors = append(visitors, collector)
	}
	if err := contents.Walk(ctx, img, contents.Limits{}, visitors...); err != nil {
		return nil, nil, err
	}
	if scan != nil {
		found := scan.Report()
		report = &found
	}
	if collector != nil {
		predicate, err = collector.Predicate(img, in.repository)
	}
	return predicate, report, err
}

// judge says what was found, and makes it an error where it is to be one.
func judge(a *gha.Action, in inputs, report agnostic.Report) error {
	for _, note := range report.Notes {
		a.Infof("environment-agnostic check: %s", note)
	}
	switch {
	case report.Clean():
		a.Infof("environment-agnostic check: nothing found in %d files", report.Files)
		return nil
	case in.agnostic == agnosticWarn:
		a.Warningf("environment-agnostic check: %s", strings.TrimSpace(report.String()))
		return nil
	}
	return &notAgnosticError{report: report}
}

// checkRegistry finds what would stop the push, and what would later lose the image.
func checkRegistry(ctx context.Context, a *gha.Action, in inputs) error {
	warnings, settings := image.PreflightECR(ctx, in.repository, moving(in)...)
	for _, warning := range warnings {
		a.Warningf("%s", warning)
	}
	var missing *image.NoRepositoryError
	if errors.As(settings, &missing) {
		return settings // the registry would say the same, without how to make it
	}
	return errors.Join(image.Preflight(ctx, in.repository), settings)
}

// moving are the tags that go from image to image.
func moving(in inputs) []string {
	tags := []string{in.marker}
	if tag, ok := strings.CutPrefix(in.cache, in.repository+":"); ok {
		tags = append(tags, tag)
	}
	return tags
}

// ecrHosts are the ECR registries that the build may pull from.
func ecrHosts(in inputs) []string {
	texts := []string{in.base, in.cache}
	for _, value := range in.args {
		texts = append(texts, value)
	}
	if in.material == image.FromDockerfile {
		if text, err := regular.Read(in.dockerfile, 4<<20); err == nil { // a builder that cannot read it says so better
			texts = append(texts, string(text))
		}
	}
	return image.ECRHosts(texts...)
}
