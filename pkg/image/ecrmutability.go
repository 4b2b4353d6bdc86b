package image

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
)

// ecrFilters is the most exclusion filters that a repository has
// (https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_PutImageTagMutability.html).
const ecrFilters = 5

// checkMutability says which tags can move that must not (warnings), and which cannot that must (the error, one for all).
func (r ecrRepository) checkMutability(described types.Repository) (warnings []string, err error) {
	var filters []string
	for _, f := range described.ImageTagMutabilityExclusionFilters {
		filters = append(filters, aws.ToString(f.Filter))
	}
	setting := described.ImageTagMutability
	// movable says whether a tag, or every tag of a kind, can move.
	movable := func(form tagForm) bool {
		excluded := slices.ContainsFunc(filters, form.always)
		switch setting {
		case types.ImageTagMutabilityMutable:
			return true
		case types.ImageTagMutabilityImmutableWithExclusion:
			return excluded
		case types.ImageTagMutabilityMutableWithExclusion:
			return !slices.ContainsFunc(filters, form.may)
		}
		return false
	}
	// fixed says whether no tag of a kind can move.
	fixed := func(form tagForm) bool {
		switch setting {
		case types.ImageTagMutabilityMutable:
			return false
		case types.ImageTagMutabilityImmutableWithExclusion:
			return !slices.ContainsFunc(filters, form.may)
		case types.ImageTagMutabilityMutableWithExclusion:
			return slices.ContainsFunc(filters, form.always)
		}
		return true
	}
	to := "; set it with\n  " + r.command("put-image-tag-mutability", r.wanted(filters))
	var stuck []string
	for _, tag := range r.moving {
		if !movable(formOf(tag)) {
			stuck = append(stuck, fmt.Sprintf("%q", tag))
		}
	}
	if len(stuck) > 0 {
		err = fmt.Errorf("checking the settings of repository %q: tag mutability is %s%s, so %s cannot move to a newer image%s",
			r.full(), setting, except(filters), strings.Join(stuck, " and "), to)
		if n := len(r.wanted(filters)); n > ecrFilters {
			err = errors.Join(err, fmt.Errorf("checking the settings of repository %q: that is %d filters and Amazon takes %d: drop some of %s", r.full(), n, ecrFilters, strings.Join(filters, ", ")))
		}
		to = "" // one command puts all of it right
	}
	if !fixed(commitForm) || !fixed(treeForm) {
		warnings = append(warnings, fmt.Sprintf("repository %q: tag mutability is %s%s, so the tag of a commit or a tree can be moved to another image by anybody who may push%s",
			r.full(), setting, except(filters), to))
		to = ""
	}
	if !movable(fallbackForm) {
		warnings = append(warnings, fmt.Sprintf("repository %q: tag mutability is %s%s, so tools that keep an image's referrers in tags %s can write one piece of evidence alone%s",
			r.full(), setting, except(filters), fallbackTags, to))
	}
	return warnings, err
}

func except(filters []string) string {
	if len(filters) == 0 {
		return ""
	}
	return " with " + strings.Join(filters, ", ") + " excluded"
}

// wanted are the filters that promote needs besides those that are there, without those that let the tag of a commit move.
func (r ecrRepository) wanted(have []string) []string {
	var filters []string
	for _, filter := range slices.Concat(r.moving, []string{fallbackTags}, have) {
		form := commitForm.may(filter) || treeForm.may(filter)
		if form || slices.Contains(filters, filter) {
			continue
		}
		filters = append(filters, filter)
	}
	return filters
}

// command is what a person runs to change or make the repository.
func (r ecrRepository) command(verb string, filters []string) string {
	var quoted []string
	for _, filter := range filters {
		quoted = append(quoted, "'filterType=WILDCARD,filter="+filter+"'") // quoted, or the shell would look for files
	}
	return fmt.Sprintf("aws ecr %s --region %s --registry-id %s --repository-name %s --image-tag-mutability IMMUTABLE_WITH_EXCLUSION --image-tag-mutability-exclusion-filters %s",
		verb, r.host.region, r.host.account, r.name, strings.Join(quoted, " "))
}
