package image

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
)

// DockerLogin gives a builder that runs as a subprocess logins to Amazon's registries for one build, so that it can pull a
// private base image. It makes a folder that only this user can read, with docker's own configuration and the logins in it,
// and returns the environment with DOCKER_CONFIG set to that folder. The caller calls remove when the builder has ended; the
// user's own files are never written to.
//
// Hosts of other registries are left to docker's configuration, as they are without this; [ECRHosts] finds those that a
// Dockerfile names. When there is nothing to add, the environment is returned as it is. All logins that cannot be had are
// reported at once, as *[LoginError].
//
//	env, remove, err := image.DockerLogin(ctx, os.Environ(), image.ECRHosts(dockerfile)...)
//	…
//	defer remove()
func DockerLogin(ctx context.Context, environ []string, hosts ...string) (env []string, remove func() error, err error) {
	logins, err := builderLogins(ctx, hosts)
	if err != nil {
		return nil, nil, err
	}
	if len(logins) == 0 {
		return environ, func() error { return nil }, nil
	}
	home := dockerHome(environ)
	folder, err := os.MkdirTemp("", "promote-docker-") // MkdirTemp gives 0700
	if err != nil {
		return nil, nil, fmt.Errorf("making a folder for the builder's logins: %w", err)
	}
	remove = func() error { return os.RemoveAll(folder) }
	if err := fillDockerFolder(folder, home, logins); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("writing the builder's logins: %w", err), remove())
	}
	for _, entry := range environ {
		if !strings.HasPrefix(entry, "DOCKER_CONFIG=") {
			env = append(env, entry)
		}
	}
	return append(env, "DOCKER_CONFIG="+folder), remove, nil
}

// builderLogins gives base64 of user:password by host.
func builderLogins(ctx context.Context, hosts []string) (map[string]string, error) {
	logins := map[string]string{}
	var problems []error
	for _, host := range hosts {
		if _, ok := parseECR(host); !ok {
			continue
		}
		registry, err := name.NewRegistry(host)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		auth, err := authn.Resolve(ctx, keychain, registry)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		got, err := authn.Authorization(ctx, auth)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		if got.Username != "" && got.Password != "" {
			logins[host] = base64.StdEncoding.EncodeToString([]byte(got.Username + ":" + got.Password))
		}
	}
	return logins, errors.Join(problems...)
}

// dockerHome is where docker's configuration is, "" for nowhere.
func dockerHome(environ []string) string {
	var home, set string
	for _, entry := range environ {
		if value, ok := strings.CutPrefix(entry, "DOCKER_CONFIG="); ok {
			set = value
		} else if value, ok := strings.CutPrefix(entry, "HOME="); ok && value != "" {
			home = filepath.Join(value, ".docker")
		}
	}
	if set != "" {
		return set
	}
	return home
}

// dockerConfig is the file with the logins; all else in docker's folder is plugins, contexts and builders.
const dockerConfig = "config.json"

// fillDockerFolder links what is in docker's own folder and writes a configuration that has the logins too. Links, because
// buildx keeps its builders there, and those must outlive the build.
func fillDockerFolder(folder, home string, logins map[string]string) error {
	var own []byte
	if home != "" {
		var err error
		if own, err = os.ReadFile(filepath.Join(home, dockerConfig)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		entries, err := os.ReadDir(home)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		if home, err = filepath.Abs(home); err != nil {
			return err
		}
		for _, entry := range entries {
			if entry.Name() == dockerConfig {
				continue
			}
			if err := os.Symlink(filepath.Join(home, entry.Name()), filepath.Join(folder, entry.Name())); err != nil {
				return err
			}
		}
	}
	merged, err := addLogins(own, logins)
	if err != nil {
		return fmt.Errorf("reading docker's configuration %q: %w", filepath.Join(home, dockerConfig), err)
	}
	return os.WriteFile(filepath.Join(folder, dockerConfig), merged, 0o600)
}

// addLogins puts logins into docker's configuration and leaves everything else in it as it is.
func addLogins(own []byte, logins map[string]string) ([]byte, error) {
	config, auths, helpers := map[string]json.RawMessage{}, map[string]json.RawMessage{}, map[string]string{}
	if len(own) > 0 {
		if err := json.Unmarshal(own, &config); err != nil {
			return nil, errors.New("it is not JSON") // without the error, which could quote a password
		}
	}
	for key, into := range map[string]any{"auths": &auths, "credHelpers": &helpers} {
		if text, ok := config[key]; ok {
			if err := json.Unmarshal(text, into); err != nil {
				return nil, fmt.Errorf("%q is not what docker writes there", key)
			}
		}
	}
	if auths == nil { // "auths": null
		auths = map[string]json.RawMessage{}
	}
	if helpers == nil {
		helpers = map[string]string{}
	}
	for host, login := range logins {
		text, err := json.Marshal(map[string]string{"auth": login})
		if err != nil {
			return nil, err
		}
		auths[host] = text
		// An empty helper means this file, whatever store serves the other hosts. Without such a store it is not needed,
		// and not every tool that reads this file knows it.
		if delete(helpers, host); config["credsStore"] != nil {
			helpers[host] = ""
		}
	}
	for key, value := range map[string]any{"auths": auths, "credHelpers": helpers} {
		text, err := json.Marshal(value)
		if err != nil {
			return nil, err
		}
		config[key] = text
	}
	return json.Marshal(config)
}
