//go:build lab

package github

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// npmPackage is one version of a package, pinned by the integrity that the registry published for it.
type npmPackage struct{ name, version, integrity string }

var (
	openAPI  = npmPackage{"@octokit/openapi", "23.0.2", "sha512-pV8M7L9GY23AybNvTmo2nyjmpmnt6+2sRE/tqr0ZLQcPS4lnw7u5eZGNmwRNkBC3D7gZXbFx5AHzLUVRBXGDhg=="}
	webhooks = npmPackage{"@octokit/webhooks-examples", "7.6.1", "sha512-De6U3XB6O3DtCa7bKgCMzTHdeopqqZ6SNivMYJnK65ierKL1AnNIA0tkRYCRS7lwGT792d+Ps1WbfHlso6MynQ=="}
)

// file reads one file of the package, which is fetched once and kept in the user's cache folder.
func (p npmPackage) file(path string) ([]byte, error) {
	tarball, err := p.fetch()
	if err != nil {
		return nil, fmt.Errorf("fetching %s@%s from npm: %w", p.name, p.version, err)
	}
	in, err := os.Open(tarball)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	unzipped, err := gzip.NewReader(in)
	if err != nil {
		return nil, err
	}
	for archive := tar.NewReader(unzipped); ; {
		entry, err := archive.Next()
		if err != nil {
			return nil, fmt.Errorf("looking for %q in %s@%s: %w", path, p.name, p.version, err)
		}
		if entry.Name == "package/"+path {
			return io.ReadAll(archive)
		}
	}
}

// fetch returns the path of the tarball, whose hash is checked every time.
func (p npmPackage) fetch() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "promote", "npm")
	path := filepath.Join(dir, strings.NewReplacer("@", "", "/", "-").Replace(p.name)+"-"+p.version+".tgz")
	if p.verify(path) == nil {
		return path, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	// A folder of its own, so that two tests at once do not write one file.
	fresh, err := os.MkdirTemp(dir, "pack-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(fresh)
	cmd := exec.Command("npm", "pack", "--silent", p.name+"@"+p.version, "--pack-destination", fresh)
	cmd.Dir = fresh
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("npm pack: %w: %s", err, out)
	}
	got, err := filepath.Glob(filepath.Join(fresh, "*.tgz"))
	if err != nil || len(got) != 1 {
		return "", errors.Join(err, fmt.Errorf("npm pack wrote %d tarballs", len(got)))
	}
	if err := p.verify(got[0]); err != nil {
		return "", err
	}
	return path, os.Rename(got[0], path)
}

func (p npmPackage) verify(path string) error {
	in, err := os.Open(path)
	if err != nil {
		return err
	}
	defer in.Close()
	hash := sha512.New()
	if _, err := io.Copy(hash, in); err != nil {
		return err
	}
	if got := "sha512-" + base64.StdEncoding.EncodeToString(hash.Sum(nil)); got != p.integrity {
		return fmt.Errorf("integrity is %s, want %s", got, p.integrity)
	}
	return nil
}
