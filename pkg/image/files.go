package image

import (
	"context"
	"io"

	"github.com/google/go-containerregistry/pkg/v1"
)

// filesBuilder makes an image of files that are there already: one layer, the same for every platform.
type filesBuilder struct{}

func (filesBuilder) find(context.Context, []string) (tool, error) {
	return tool{command: []string{"promote"}, about: "prebuilt files as one layer"}, nil
}

func (filesBuilder) build(ctx context.Context, _ tool, req BuildRequest, log io.Writer) error {
	placed, err := req.placed()
	if err != nil {
		return err
	}
	return assemble(ctx, req, log, func(v1.Platform) (part, error) {
		return part{placed: placed, entrypoint: req.Entrypoint}, nil
	})
}
