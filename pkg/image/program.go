package image

import (
	"context"
	"fmt"
	"io"
)

// program is a builder that is one call of one program, which writes the OCI layout by itself.
type program struct {
	// commands are the ways to call it, best first.
	commands [][]string
	// version is appended to a command to see whether it works; it prints one line and touches nothing.
	version string
	// args are what a build appends to the command.
	args func(BuildRequest) []string
	// missing says what to install.
	missing string
}

func (p program) find(ctx context.Context, env []string) (tool, error) {
	found, err := locate(ctx, p.commands, p.version, env)
	if err != nil {
		return tool{}, fmt.Errorf("%w; it needs %s", err, p.missing)
	}
	return found, nil
}

func (p program) build(ctx context.Context, with tool, req BuildRequest, log io.Writer) error {
	return execute(ctx, append(with.command, p.args(req)...), req.Env, log)
}
