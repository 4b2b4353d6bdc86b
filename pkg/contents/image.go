package contents

import (
	"io"
	"strings"
	"time"
)

// Image is one platform's image.
type Image struct {
	// Digest of the image's manifest, "sha256:…".
	Digest string
	// Platform such as linux/amd64; empty if the image does not say.
	Platform string
	// Created is the time in the image's config: with reproducible builds the commit's.
	Created time.Time
	Config  Config
	// History holds one step for each line of the Dockerfile and of its base's, oldest first.
	History []Step
	// Layers from the base upwards.
	Layers []Layer
}

// Config is what the image says about how it runs.
type Config struct {
	Env         []string // NAME=value
	Entrypoint  []string
	Command     []string
	Healthcheck []string
	Labels      map[string]string
}

// Step is an entry of the image's history.
type Step struct {
	// Text is how the builder wrote the step down, for instance "COPY . /app # buildkit".
	Text string
	// Empty says that the step made no layer.
	Empty bool
}

// Layer is a stream of files.
type Layer struct {
	// Digest of the layer as it is stored, "sha256:…".
	Digest string
	// Step is the text of the history's entry that made it, "" if the history does not tell.
	Step string
	// Open gives the layer as it is stored: a tar, or one in gzip or zstd.
	Open func() (io.ReadCloser, error)
}

// Attribute tells each layer which step made it: the history's entries that are not empty are the layers in their order. An
// image whose history does not fit its layers, as squashing tools leave it, says nothing for sure, so its layers get no step.
func Attribute(history []Step, layers []Layer) {
	var steps []string
	for _, s := range history {
		if !s.Empty {
			steps = append(steps, s.Text)
		}
	}
	if len(steps) != len(layers) {
		return
	}
	for i := range layers {
		layers[i].Step = steps[i]
	}
}

// Instruction is a step's text as it stands in a Dockerfile: builders decorate it in ways of their own.
func Instruction(text string) string {
	text = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(text), "# buildkit"))
	// The classic builder writes RUN as the shell's command line and everything else as one that does nothing.
	for _, shell := range []string{"/bin/sh -c ", "/bin/bash -c ", "/bin/ash -c "} {
		rest, found := strings.CutPrefix(text, shell)
		if !found {
			continue
		}
		if nop, found := strings.CutPrefix(strings.TrimSpace(rest), "#(nop)"); found {
			return strings.TrimSpace(nop)
		}
		return "RUN " + strings.TrimSpace(rest)
	}
	return strings.Replace(text, "RUN /bin/sh -c ", "RUN ", 1)
}
