package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
)

const (
	traefikModule = "github.com/traefik/traefik/v3"
	kindsModule   = "sigs.k8s.io/gateway-api"
)

// Traefik gives the path of the Traefik program, which is built the first time and cached like the lab's own programs. It is no
// part of a running lab: its build takes minutes, and only what shifts traffic by the Gateway API asks for it.
func (l *Lab) Traefik(ctx context.Context) (string, error) {
	return l.build(ctx, build{
		name: "traefik", dir: "traefik", pkg: traefikModule + "/cmd/traefik", patient: true,
		version: traefikModule, stamps: []string{traefikModule + "/pkg/version.Version"},
	})
}

// GatewayKinds gives the folder that the Gateway API's CustomResourceDefinitions lie in: the standard channel, in the version that
// Traefik is built against.
func (l *Lab) GatewayKinds(ctx context.Context) (string, error) {
	program, err := l.goProgram(ctx)
	if err != nil {
		return "", err
	}
	// A binary from the cache does not say whether the modules that it was made of are still on this machine.
	cmd := exec.CommandContext(ctx, program, "mod", "download", "-json", kindsModule)
	cmd.Dir = filepath.Join(l.source, "traefik")
	cmd.Env = append(cmd.Environ(), "GOWORK=off")
	out, err := cmd.Output()
	var module struct{ Dir, Error string }
	if parsing := json.Unmarshal(out, &module); parsing != nil {
		return "", fmt.Errorf("finding module %s: %w, exit: %w", kindsModule, parsing, err)
	}
	if module.Error != "" {
		return "", fmt.Errorf("finding module %s: %s", kindsModule, module.Error)
	}
	return filepath.Join(module.Dir, "config", "crd", "standard"), nil
}
