package main

import (
	"regexp"
	"time"

	"github.com/org/promote/pkg/gha"
	"github.com/org/promote/pkg/job"
	"github.com/org/promote/pkg/release"
)

var digestForm = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

// inputs are what action.yml declares, read and validated before anything is touched.
type inputs struct {
	job.Inputs
	bake time.Duration
	// dryRun stops before anything is written, renderOnly before anything is asked.
	dryRun, renderOnly bool
	preview            bool
	previewTTL         time.Duration
}

// readInputs reports every problem at once.
func readInputs(a *gha.Action, kubeconfig string) (inputs, error) {
	in := a.Inputs()
	mode := in.OneOf("dry-run", "false", "false", "true", "render")
	v := inputs{
		Inputs: job.Read(in, a.Env(), job.Ways{
			Example: "test", Concurrency: []string{release.Queue, release.Supersede}, Alone: mode == "render", Kubeconfig: kubeconfig,
		}),
		bake:       in.Duration("bake", 0),
		dryRun:     mode == "true",
		renderOnly: mode == "render",
		preview:    in.Bool("preview", false),
		previewTTL: in.Duration("preview-ttl", 72*time.Hour),
	}
	v.Digest = in.String("digest", "")
	if v.Digest != "" && !digestForm.MatchString(v.Digest) {
		in.Problem("digest", "%q is not a digest; it has the form sha256: and 64 hex digits, as the build action's output `digest`", v.Digest)
	}
	v.checkPreview(in)
	return v, in.Err()
}
