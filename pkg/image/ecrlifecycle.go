package image

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
)

// A rule that keeps this many images, or all of this many days, is one that is meant to keep: a release that is older serves
// nowhere that is still deployed to.
const (
	keepsImages = 1000
	keepsDays   = 365
)

// lifecycleRule is a rule of a lifecycle policy (https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html).
type lifecycleRule struct {
	RulePriority int
	Description  string
	Selection    struct {
		TagStatus      string
		TagPrefixList  []string
		TagPatternList []string
		CountType      string
		CountUnit      string
		CountNumber    int
	}
	Action struct{ Type string }
}

// checkLifecycle warns of rules that delete an image while it serves.
func (r ecrRepository) checkLifecycle(ctx context.Context, client *ecr.Client) (warnings []string, err error) {
	out, err := client.GetLifecyclePolicy(ctx, &ecr.GetLifecyclePolicyInput{RegistryId: &r.host.account, RepositoryName: &r.name})
	switch {
	case isNoPolicy(err), isNoRepository(err):
		return nil, nil
	case denied(apiCode(err)):
		return []string{r.unread("the lifecycle rules", "ecr:GetLifecyclePolicy", err)}, nil
	case err != nil:
		return nil, r.unreadable(err)
	}
	var policy struct{ Rules []lifecycleRule }
	if err := json.Unmarshal([]byte(aws.ToString(out.LifecyclePolicyText)), &policy); err != nil {
		return nil, fmt.Errorf("reading the lifecycle policy of repository %q: %w", r.full(), err)
	}
	for _, rule := range expiring(policy.Rules, r.moving) {
		warnings = append(warnings, fmt.Sprintf("repository %q: %s", r.full(), rule.warning()))
	}
	return warnings, nil
}

// expiring gives the rules that can take an image of promote's away, first by priority. An image belongs to the first rule that
// selects it, whether that rule takes it or not; no later rule can.
func expiring(rules []lifecycleRule, moving []string) []lifecycleRule {
	var harmful []lifecycleRule
	for _, rule := range slices.SortedFunc(slices.Values(rules), func(a, b lifecycleRule) int { return a.RulePriority - b.RulePriority }) {
		if rule.selects(moving) && !rule.keeps() {
			harmful = append(harmful, rule)
		}
		if rule.selectsAll() {
			break
		}
	}
	return harmful
}

// patterns are what the image's tags must match: each of them by one tag at least.
func (rule lifecycleRule) patterns() []string {
	patterns := slices.Clone(rule.Selection.TagPatternList)
	for _, prefix := range rule.Selection.TagPrefixList {
		patterns = append(patterns, prefix+"*")
	}
	return patterns
}

// selects says whether a rule can select an image of promote's.
func (rule lifecycleRule) selects(moving []string) bool {
	forms := []tagForm{commitForm, treeForm}
	for _, tag := range moving {
		forms = append(forms, formOf(tag))
	}
	return rule.selectsBy(func(pattern string) bool {
		return slices.ContainsFunc(forms, func(f tagForm) bool { return f.may(pattern) })
	})
}

// selectsAll says whether a rule selects each of promote's images.
func (rule lifecycleRule) selectsAll() bool {
	return rule.selectsBy(func(pattern string) bool { return commitForm.always(pattern) || treeForm.always(pattern) })
}

func (rule lifecycleRule) selectsBy(match func(pattern string) bool) bool {
	switch rule.Selection.TagStatus {
	case "any":
		return true
	case "tagged":
		return !slices.ContainsFunc(rule.patterns(), func(pattern string) bool { return !match(pattern) })
	}
	return false // untagged: each image of promote's has a tag
}

// keeps says whether a rule is too far away to matter.
func (rule lifecycleRule) keeps() bool {
	switch rule.Selection.CountType {
	case "imageCountMoreThan":
		return rule.Selection.CountNumber >= keepsImages
	case "sinceImageTransitioned":
		return true // of images that were put away already; the rule that did so has its own warning
	}
	return rule.Selection.CountNumber >= keepsDays
}

// warning says which images the rule takes, why one that serves can be among them, and what to change.
func (rule lifecycleRule) warning() string {
	name := fmt.Sprintf("lifecycle rule %d", rule.RulePriority)
	if rule.Description != "" {
		name += fmt.Sprintf(" (%q)", rule.Description)
	}
	which := "all images"
	if rule.Selection.TagStatus == "tagged" {
		which = "images with tags like " + strings.Join(rule.patterns(), " and ")
	}
	verb := "deletes"
	if rule.Action.Type == "transition" {
		verb = "puts away to the archive, from where they cannot be pulled,"
	}
	s := rule.Selection
	var when, why string
	switch s.CountType {
	case "imageCountMoreThan":
		when = fmt.Sprintf("beyond the newest %d", s.CountNumber)
		why = "an image is as old as its first push, and a new tag does not make it younger: after enough builds the one that serves is deleted"
	case "sinceImagePulled":
		when = fmt.Sprintf("not pulled for %d %s", s.CountNumber, s.CountUnit)
		why = "nodes that have an image do not pull it again, so one that serves can be deleted, and then no new pod starts"
	default:
		when = fmt.Sprintf("%d %s after the push", s.CountNumber, s.CountUnit)
		why = "an image is as old as its first push, and a new tag does not make it younger: one that serves for longer is deleted, and then no new pod starts"
	}
	return fmt.Sprintf("%s %s %s %s; %s. Let the rule select tags that promote does not use, or put a rule before it, with a lower rulePriority, "+
		"that selects tagPatternList [\"tree-*\"] and keeps %d images or more", name, verb, which, when, why, keepsImages)
}
