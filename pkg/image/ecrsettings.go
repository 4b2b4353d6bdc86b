package image

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
)

// fallbackTags are where the referrers of an image are listed in registries without the referrers API (OCI distribution
// specification 1.1, "Referrers Tag Schema"): such a tag is written again with each piece of evidence.
const fallbackTags = "sha256-*"

// ecrRepository is a repository of Amazon's with what its settings are compared to.
type ecrRepository struct {
	host   ecrHost
	name   string
	moving []string // tags that move
}

func (r ecrRepository) full() string { return r.host.name + "/" + r.name }

func (r ecrRepository) arn() string {
	partition := "aws"
	if slices.Contains([]string{"cn-north-1", "cn-northwest-1"}, r.host.region) {
		partition = "aws-cn"
	} else if len(r.host.region) > 7 && r.host.region[:7] == "us-gov-" {
		partition = "aws-us-gov"
	}
	return fmt.Sprintf("arn:%s:ecr:%s:%s:repository/%s", partition, r.host.region, r.host.account, r.name)
}

// PreflightECR compares the settings of a repository in Amazon's registry with what promote needs, before something is built.
// The moving tags are those that go from image to image: the marker, and the tag of the remote build cache.
//
// The error holds everything that makes a push fail, joined: no repository, or a moving tag that cannot move; each with
// the command that puts it right. Warnings are what does harm later: tags of commits that can be overwritten, lifecycle rules that
// delete an image while it serves, and settings that the credentials may not read. It changes nothing. For a repository in
// another registry, and in public.ecr.aws, there is nothing to compare.
func PreflightECR(ctx context.Context, repository string, moving ...string) (warnings []string, err error) {
	repo, err := repositoryOf(repository)
	if err != nil {
		return nil, err
	}
	host, ok := parseECR(repo.RegistryStr())
	if !ok || host.public {
		return nil, nil
	}
	r := ecrRepository{host: host, name: repo.RepositoryStr(), moving: moving}
	ctx, cancel := context.WithTimeout(ctx, ecrLoginTime)
	defer cancel()
	client, configured, err := ecrClient(ctx, host)
	if err != nil {
		return nil, fmt.Errorf("reading the settings of repository %q: %w", repository, err)
	}
	tags, problem, err := r.checkTags(ctx, client, configured)
	if err != nil {
		return nil, err // the rules could not be read either
	}
	rules, err := r.checkLifecycle(ctx, client)
	return append(tags, rules...), errors.Join(problem, err)
}

// checkTags says what [ecrRepository.checkMutability] says, of what AWS answers; err means that AWS did not.
func (r ecrRepository) checkTags(ctx context.Context, client *ecr.Client, configured string) (warnings []string, problem, err error) {
	described, err := r.describe(ctx, client)
	switch {
	case isNoRepository(err):
		return nil, nil, &NoRepositoryError{Repository: r.full(), Err: r.missing(configured)}
	case denied(apiCode(err)):
		return []string{r.unread("the tag settings", "ecr:DescribeRepositories", err)}, nil, nil
	case err != nil:
		return nil, nil, r.unreadable(err)
	}
	warnings, problem = r.checkMutability(described)
	return warnings, problem, nil
}

func (r ecrRepository) describe(ctx context.Context, client *ecr.Client) (types.Repository, error) {
	out, err := client.DescribeRepositories(ctx, &ecr.DescribeRepositoriesInput{
		RegistryId: &r.host.account, RepositoryNames: []string{r.name},
	})
	if err != nil {
		return types.Repository{}, err
	}
	if len(out.Repositories) != 1 {
		return types.Repository{}, fmt.Errorf("the answer has %d repositories, want 1", len(out.Repositories))
	}
	return out.Repositories[0], nil
}

// missing says where the repository was looked for and how to make it.
func (r ecrRepository) missing(configured string) error {
	hint := ""
	if configured != r.host.region {
		hint = fmt.Sprintf(" (this machine is set up for region %s: is it the image's name that has the wrong region?)", configured)
	}
	return fmt.Errorf("it does not exist in account %s, region %s%s; make it with\n  %s",
		r.host.account, r.host.region, hint, r.command("create-repository", r.wanted(nil)))
}

// unread is the warning for settings that the credentials may not read.
func (r ecrRepository) unread(what, action string, err error) string {
	return fmt.Sprintf("repository %q: %s could not be checked: %s (the role needs %s on %s)", r.full(), what, apiText(err), action, r.arn())
}

func (r ecrRepository) unreadable(err error) error {
	var failed *LoginError
	if errors.As(loginError(r.host, err), &failed) && apiCode(err) != "" {
		return fmt.Errorf("reading the settings of repository %q: %w", r.full(), failed.Err)
	}
	return fmt.Errorf("reading the settings of repository %q: %w", r.full(), failed)
}

// isNoRepository and isNoPolicy say what does not exist.
func isNoRepository(err error) bool {
	var missing *types.RepositoryNotFoundException
	return errors.As(err, &missing)
}

func isNoPolicy(err error) bool {
	var missing *types.LifecyclePolicyNotFoundException
	return errors.As(err, &missing)
}
