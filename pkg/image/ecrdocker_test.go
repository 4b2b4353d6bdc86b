package image

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestDockerLogin(t *testing.T) {
	login := base64.StdEncoding.EncodeToString([]byte("AWS:s3cret"))
	// The process has one keychain; a host of its own keeps this test apart.
	const host = "999999999999.dkr.ecr.eu-central-1.amazonaws.com"
	ecrLogins.login(host).fetch = func(context.Context, ecrHost) (ecrToken, error) {
		return ecrToken{user: "AWS", password: "s3cret", expires: time.Now().Add(time.Hour)}, nil
	}
	home := t.TempDir()
	own := filepath.Join(home, ".docker")
	for _, dir := range []string{"cli-plugins", "buildx"} {
		if err := os.MkdirAll(filepath.Join(own, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write := func(t *testing.T, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(own, "config.json"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	folderOf := func(env []string) string {
		return strings.TrimPrefix(env[len(env)-1], "DOCKER_CONFIG=")
	}
	for name, c := range map[string]struct{ own, want string }{
		"adds to what docker has": {
			`{"auths":{"registry.example":{"auth":"eDp5"}},"currentContext":"lab","experimental":"enabled"}`,
			`{"auths":{"registry.example":{"auth":"eDp5"},"` + host + `":{"auth":"` + login + `"}},"credHelpers":{},"currentContext":"lab","experimental":"enabled"}`,
		},
		"stands before a store that serves all others": {
			`{"credsStore":"desktop","credHelpers":{"gcr.io":"gcloud"}}`,
			`{"auths":{"` + host + `":{"auth":"` + login + `"}},"credHelpers":{"gcr.io":"gcloud","` + host + `":""},"credsStore":"desktop"}`,
		},
		"takes the place of a helper for the same host": {
			`{"auths":null,"credHelpers":{"` + host + `":"ecr-login"}}`,
			`{"auths":{"` + host + `":{"auth":"` + login + `"}},"credHelpers":{}}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			write(t, c.own)
			env, remove, err := DockerLogin(t.Context(), []string{"HOME=" + home, "DOCKER_CONFIG=", "X=1"}, host, "registry.example")
			if err != nil {
				t.Fatal(err)
			}
			folder := folderOf(env)
			var got, want any
			if err := json.Unmarshal([]byte(readFile(filepath.Join(folder, "config.json"))), &got); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal([]byte(c.want), &want); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("config.json (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]string{"HOME=" + home, "X=1", "DOCKER_CONFIG=" + folder}, env); diff != "" {
				t.Errorf("environment (-want +got):\n%s", diff)
			}
			for path, mode := range map[string]os.FileMode{folder: 0o700, filepath.Join(folder, "config.json"): 0o600} {
				if info, err := os.Stat(path); err != nil || info.Mode().Perm() != mode {
					t.Errorf("%s has mode %v, %v; want %v", path, info.Mode().Perm(), err, mode)
				}
			}
			// What a builder leaves in docker's folder stays when the logins are gone.
			if err := os.WriteFile(filepath.Join(folder, "buildx", "mine"), nil, 0o600); err != nil {
				t.Error(err)
			}
			if err := remove(); err != nil {
				t.Error(err)
			}
			if _, err := os.Stat(folder); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the folder is still there: %v", err)
			}
			if _, err := os.Stat(filepath.Join(own, "buildx", "mine")); err != nil {
				t.Error(err)
			}
			if got := readFile(filepath.Join(own, "config.json")); got != c.own {
				t.Errorf("docker's own file was changed to %s", got)
			}
		})
	}
	t.Run("changes nothing where there is nothing to add", func(t *testing.T) {
		env, remove, err := DockerLogin(t.Context(), []string{"HOME=" + home}, "registry.example")
		if err != nil || len(env) != 1 {
			t.Fatalf("got %q, %v", env, err)
		}
		if err := remove(); err != nil {
			t.Error(err)
		}
	})
	t.Run("says which file is broken and leaves no folder", func(t *testing.T) {
		write(t, `{"auths": s3cret`)
		temporary := t.TempDir()
		t.Setenv("TMPDIR", temporary)
		_, _, err := DockerLogin(t.Context(), []string{"HOME=" + home}, host)
		if err == nil || !strings.Contains(err.Error(), filepath.Join(own, "config.json")) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("got %v, want the file's name and not what is in it", err)
		}
		if left, err := os.ReadDir(temporary); err != nil || len(left) > 0 {
			t.Errorf("left behind: %v, %v", left, err)
		}
	})
}
