package cluster

import (
	"context"
	"fmt"
	"os"
	"os/exec"
)

// builder is the name of the remote builder that buildx uses.
const builder = "promote-lab"

// shim is a docker command for machines that have none: the lab needs `docker buildx` alone, and Debian's package would bring a
// daemon. It names the real one when something else is asked of it.
const shim = `#!/bin/sh
if [ "$1" = buildx ]; then
	shift
	exec "$(dirname "$0")/buildx" "$@"
fi
echo "docker: the lab has 'docker buildx' alone; install Docker's command line for the rest" >&2
exit 1
`

// writeDocker makes the folder for DOCKER_CONFIG, with buildx as a plugin and the builder selected.
func (l *Lab) writeDocker(ctx context.Context) error {
	plugins := l.path("docker", "cli-plugins")
	if err := os.MkdirAll(plugins, 0o755); err != nil {
		return err
	}
	if err := link(l.bin("buildx"), plugins+"/docker-buildx"); err != nil {
		return err
	}
	if !exists(l.path("docker", "config.json")) {
		if err := os.WriteFile(l.path("docker", "config.json"), []byte("{}\n"), 0o644); err != nil {
			return err
		}
	}
	if _, err := exec.LookPath("docker"); err != nil {
		if err := os.WriteFile(l.bin("docker"), []byte(shim), 0o755); err != nil {
			return err
		}
	}
	if exists(l.path("docker", "buildx", "instances", builder)) {
		return nil
	}
	cmd := exec.CommandContext(ctx, l.bin("buildx"), "create", "--name", builder, "--driver", "remote", "--use", l.World().BuildkitHost)
	cmd.Env = append(l.environment(), "DOCKER_CONFIG="+l.path("docker"))
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("creating builder %q: %w: %s", builder, err, out)
	}
	return nil
}
