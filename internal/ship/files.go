package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/org/promote/pkg/sbom"
)

// name writes release.json, in the form that install.sh reads with nothing but a shell: one field or program a line.
func (r release) name(programs []program) error {
	var out strings.Builder
	fmt.Fprintf(&out, "{\n  \"version\": %q,\n  \"url\": %q,\n  \"programs\": {\n", r.version, r.url)
	for i, p := range programs {
		comma := ","
		if i == len(programs)-1 {
			comma = ""
		}
		fmt.Fprintf(&out, "    %q: {\"sha256\": %q, \"gz\": %q}%s\n", p.name, p.plain, p.packed, comma)
	}
	out.WriteString("  }\n}\n")
	return os.WriteFile(filepath.Join(r.to, "release.json"), []byte(out.String()), 0o644)
}

// bundle writes the tar file for networks without a way out; PROMOTE_MIRROR can name it as it is.
func (r release) bundle(programs []program) error {
	file, err := os.Create(filepath.Join(r.to, "promote_"+r.version+"_offline.tar"))
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	w := tar.NewWriter(file)
	names := []string{"release.json"}
	for _, p := range programs {
		names = append(names, p.name+".gz")
	}
	for _, name := range names {
		data, err := os.ReadFile(filepath.Join(r.to, name))
		if err != nil {
			return err
		}
		head := &tar.Header{Name: path.Join(r.version, name), Mode: 0o644, Size: int64(len(data)), ModTime: r.created, Format: tar.FormatUSTAR}
		if err := w.WriteHeader(head); err != nil {
			return fmt.Errorf("bundling %s: %w", name, err)
		}
		if _, err := w.Write(data); err != nil {
			return fmt.Errorf("bundling %s: %w", name, err)
		}
	}
	return errors.Join(w.Close(), file.Close())
}

// bill writes the bill of materials of all programs.
func (r release) bill(programs []program) error {
	var files []sbom.Program
	for _, p := range programs {
		data, err := unpack(filepath.Join(r.to, p.name+".gz"))
		if err != nil {
			return err
		}
		files = append(files, sbom.Program{Name: p.name, Digest: "sha256:" + p.plain, File: bytes.NewReader(data)})
	}
	bill, err := sbom.OfPrograms("promote", r.version, r.created, files)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(r.to, "promote_"+r.version+".cdx.json"), bill, 0o644)
}

func unpack(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	r, err := gzip.NewReader(file)
	if err != nil {
		return nil, fmt.Errorf("unpacking %s: %w", path, err)
	}
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("unpacking %s: %w", path, err)
	}
	return data, nil
}

// sum writes the checksums of all files, as sha256sum does and checks.
func (r release) sum() error {
	entries, err := os.ReadDir(r.to)
	if err != nil {
		return err
	}
	var lines []string
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(r.to, e.Name()))
		if err != nil {
			return err
		}
		lines = append(lines, fmt.Sprintf("%x  %s\n", sha256.Sum256(data), e.Name()))
	}
	slices.SortFunc(lines, func(a, b string) int { return strings.Compare(a[64:], b[64:]) })
	return os.WriteFile(filepath.Join(r.to, "checksums.txt"), []byte(strings.Join(lines, "")), 0o644)
}
