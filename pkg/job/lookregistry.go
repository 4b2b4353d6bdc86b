package job

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/org/promote/pkg/evidence"
	"github.com/org/promote/pkg/gate"
	"github.com/org/promote/pkg/image"
	"github.com/org/promote/pkg/preflight"
)

// lookAtRegistry says whether the image is there and may be read, and whether this runner may write the gate's statement beside it.
func (p *Preflight) lookAtRegistry(ctx context.Context) []preflight.Finding {
	digest, err := p.digest()
	found := []preflight.Finding{{Subject: "image", State: preflight.Good, Told: image.Reference(p.in.Image, digest)}}
	if err != nil {
		found[0].State, found[0].Told, found[0].Fix = preflight.Wrong, err.Error(), pullFix(err, p.in.Image)
	}
	var unreachable *image.UnreachableError
	if errors.As(err, &unreachable) || len(p.pushes()) == 0 {
		return found // the same would be said again, or nothing is written
	}
	push := preflight.Finding{Subject: "push", State: preflight.Good, Told: "this runner may push " + strings.Join(p.pushes(), " and ")}
	if err := image.Preflight(ctx, p.in.Image); err != nil {
		push.State, push.Told, push.Fix = preflight.Wrong, err.Error(), pushFix(p.in.Image)
	}
	return append(found, push)
}

// pushes names what a run pushes beside the image.
func (p *Preflight) pushes() []string {
	var all []string
	if gate.Known(p.about.Gate.Name) {
		all = append(all, fmt.Sprintf("the statement of gate %q", p.about.Gate.Name))
	}
	return append(all, p.about.Pushes...)
}

func isECR(repository string) bool { return len(image.ECRHosts(repository+"/")) > 0 }

// pullFix is what to change when an image can't be had.
func pullFix(err error, repository string) string {
	var missing *image.NotFoundError
	var unreachable *image.UnreachableError
	var busy *image.BusyError
	switch {
	case errors.As(err, &missing):
		return "have it built first, or mend the inputs `image` and `digest`"
	case errors.As(err, &unreachable):
		return "see whether this runner reaches the registry, and whether the input `image` names it"
	case errors.As(err, &busy):
		return "run this again later"
	case isECR(repository):
		return "allow the job's role `ecr:GetAuthorizationToken` on `*`, and `ecr:BatchGetImage` and `ecr:GetDownloadUrlForLayer` on the repository"
	}
	return fmt.Sprintf("log this runner in to the registry of `%s`, with an account that may pull", repository)
}

func pushFix(repository string) string {
	if isECR(repository) {
		return "allow the job's role `ecr:InitiateLayerUpload`, `ecr:UploadLayerPart`, `ecr:CompleteLayerUpload`, `ecr:BatchCheckLayerAvailability` and `ecr:PutImage` on the repository"
	}
	return fmt.Sprintf("log this runner in to the registry of `%s`, with an account that may push", repository)
}

// lookAtEvidence says which of the required gates this image has not passed.
func (p *Preflight) lookAtEvidence(ctx context.Context) []preflight.Finding {
	g := p.about.Gate
	g.DryRun = true
	key, err := gate.OpenKey(ctx, p.in.EvidenceKey, p.in.AWSRegion, p.action.Mask)
	if err != nil {
		return []preflight.Finding{{Subject: "evidence-key", State: preflight.Wrong, Told: err.Error(), Fix: "mend the input `evidence-key`, or let the job's role use the key (docs/evidence.md)"}}
	}
	found := []preflight.Finding{ofKey(key)}
	switch {
	case len(g.Require) == 0 && len(p.in.Require) > 0:
		return found // they are not asked of this change yet
	case len(g.Require) == 0:
		return append(found, preflight.Finding{Subject: "require", State: preflight.Noted, Told: "no gate is required, so any image may go (input `require`)"})
	}
	digest, err := p.digest()
	if err != nil || p.about.Change.Head == "" || p.about.Change.Tree == "" {
		return append(found, preflight.Finding{Subject: "require", State: preflight.Unknown, Told: "without image and commit there is no evidence to read"})
	}
	g.Key = key
	_, err = g.Prove(ctx, image.Reference(p.in.Image, digest), p.about.Change)
	return append(found, gates(g.Require, err)...)
}

func ofKey(key *evidence.Key) preflight.Finding {
	if key == nil {
		return preflight.Finding{Subject: "evidence-key", State: preflight.Noted, Told: evidence.Unsigned()}
	}
	return preflight.Finding{Subject: "evidence-key", State: preflight.Good, Told: "it can be used; its id is " + key.ID()}
}

// gates gives a finding for each gate that is required.
func gates(required []string, err error) []preflight.Finding {
	missing := map[string]bool{}
	var found []preflight.Finding
	for _, problem := range each(err) {
		var refusal evidence.Refusal
		if !errors.As(problem, &refusal) {
			return append(found, preflight.Finding{Subject: "require", State: preflight.Wrong, Told: problem.Error()})
		}
		subject := "the image's evidence"
		if refusal.Gate != "" {
			subject, missing[refusal.Gate] = "gate "+refusal.Gate, true
		}
		told := refusal.Reason
		if refusal.Run != "" {
			told += " (" + refusal.Run + ")"
		}
		found = append(found, preflight.Finding{Subject: subject, State: preflight.Wrong, Told: told, Fix: refusal.Fix})
	}
	if len(each(err)) > 0 && len(missing) == 0 {
		return found
	}
	for _, name := range required {
		if !missing[name] {
			found = append(found, preflight.Finding{Subject: "gate " + name, State: preflight.Good, Told: "passed by this image"})
		}
	}
	return found
}
