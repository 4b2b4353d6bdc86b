package demo

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/match"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/org/promote/lab/show"
	"github.com/org/promote/pkg/evidence"
	"github.com/org/promote/pkg/image"
)

// key opens the key that the runners sign with, with the rights of production's runner.
func (s *scene) key(ctx context.Context) (*evidence.Key, error) {
	return evidence.OpenKMS(ctx, "awskms:///"+evidenceKey, region, s.runnerOf("prod")...)
}

// runnerOf are the settings with which an environment's runner meets AWS.
func (s *scene) runnerOf(env string) []func(*config.LoadOptions) error {
	own := s.keys[env]
	return []func(*config.LoadOptions) error{
		config.WithBaseEndpoint(s.aws.URL()),
		config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider(own.AccessKey, own.SecretKey, "")),
	}
}

// imageOf is the image that the registry has for a commit, "repository@sha256:…".
func (s *scene) imageOf(ctx context.Context, commit string) (string, error) {
	repository := s.world.Registry + "/" + s.service.name
	digest, err := image.Resolve(ctx, repository, commit)
	return image.Reference(repository, digest), err
}

// proven prints the chain of evidence of a promoted image, read from the registry and verified with the key.
func (s *scene) proven(ctx context.Context, p *part) (expectation, error) {
	reference, err := s.imageOf(ctx, p.head)
	if err != nil {
		return expectation{}, err
	}
	key, err := s.key(ctx)
	if err != nil {
		return expectation{}, err
	}
	records, err := evidence.Read(ctx, reference, key)
	if err != nil {
		return expectation{}, err
	}
	_, digest, _ := strings.Cut(reference, "@")
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "evidence of #%d\tresult\twhen\tcommit\tapproved by\tsigned by\n", p.number)
	passed := 0
	s.evidence = show.Evidence{Number: p.number, Digest: digest, Chain: evidence.Chain(records, digest)}
	for _, link := range s.evidence.Chain {
		if link.Result == evidence.Passed {
			passed++
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", link.Gate, link.Result, link.Time.Format("15:04:05"), link.Commit[:min(7, len(link.Commit))],
			strings.Join(link.Approvers, ", "), link.Signer[:min(12, len(link.Signer))])
	}
	fmt.Fprintln(w)
	return expectation{
		what: fmt.Sprintf("#%d: every gate is proven, signed with KMS", p.number), ok: passed == len(evidence.Gates()),
		seen: fmt.Sprintf("%d of %d gates passed for %s", passed, len(evidence.Gates()), digest[:19]),
	}, w.Flush()
}

// deleteEvidence takes the statement of a gate out of the list of what refers to a commit's image, as anybody could who may
// push to the registry.
func (s *scene) deleteEvidence(ctx context.Context, commit, gate string) error {
	reference, err := s.imageOf(ctx, commit)
	if err != nil {
		return err
	}
	key, err := s.key(ctx)
	if err != nil {
		return err
	}
	records, err := evidence.Read(ctx, reference, key)
	if err != nil {
		return err
	}
	gone := map[string]bool{}
	for _, r := range records {
		if r.Statement.Gate == gate {
			gone[r.Referrer] = true
		}
	}
	if len(gone) == 0 {
		return fmt.Errorf("deleting the evidence of gate %s: there is none for %s", gate, reference)
	}
	repository, digest, _ := strings.Cut(reference, "@")
	list, err := name.NewTag(repository + ":" + strings.Replace(digest, ":", "-", 1))
	if err != nil {
		return err
	}
	index, err := remote.Index(list, remote.WithContext(ctx))
	if err != nil {
		return fmt.Errorf("reading the list of what refers to %s: %w", reference, err)
	}
	kept := mutate.RemoveManifests(index, match.Matcher(func(d v1.Descriptor) bool { return gone[d.Digest.String()] }))
	if err := remote.WriteIndex(list, kept, remote.WithContext(ctx)); err != nil {
		return fmt.Errorf("writing the list of what refers to %s: %w", reference, err)
	}
	s.timeline.person(show.Other, "somebody deletes the evidence of %s from the registry", gate)
	return nil
}

// refused checks that production moved no traffic for an image whose evidence has a gap.
func (s *scene) refused(p *part) expectation {
	moves := len(s.witness.during("prod", p))
	status := s.statuses(p.head)["promote/prod"]
	return expectation{
		what: fmt.Sprintf("#%d: production refuses it, and nothing there moves", p.number),
		ok:   moves == 0 && status == "failure" && p.after["prod"] == p.before["prod"] && subset(p.beforePods["prod"], p.afterPods["prod"]),
		seen: fmt.Sprintf("promote/prod is %s, %s serves, traffic moved %d times", status, p.after["prod"], moves),
	}
}
