package agnostic

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/org/promote/pkg/contents"
)

// files are paths with what is in them; a path that ends in a slash is a folder.
type files map[string]string

// step is a line of a Dockerfile with the files of the layer that it makes; without files it makes none.
type step struct {
	text  string
	files files
}

// pack makes a tar of files, in the order of their names.
func pack(t testing.TB, content files) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	var names []string
	for name := range content {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		h := &tar.Header{Name: name, Mode: 0o644, Size: int64(len(content[name])), Typeflag: tar.TypeReg, ModTime: time.Unix(1, 0)}
		if strings.HasSuffix(name, "/") {
			h.Typeflag, h.Size = tar.TypeDir, 0
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, content[name][:h.Size]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// image makes an image of steps, each layer in gzip.
func image(t testing.TB, config contents.Config, steps ...step) contents.Image {
	t.Helper()
	img := contents.Image{Digest: "sha256:" + strings.Repeat("f", 64), Config: config}
	for _, s := range steps {
		img.History = append(img.History, contents.Step{Text: s.text, Empty: s.files == nil})
		if s.files == nil {
			continue
		}
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		if _, err := z.Write(pack(t, s.files)); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		img.Layers = append(img.Layers, contents.Layer{
			Digest: fmt.Sprintf("sha256:%064d", len(img.Layers)+1),
			Open:   func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil },
		})
	}
	contents.Attribute(img.History, img.Layers)
	return img
}

// check runs a check that must go through.
func check(t testing.TB, img contents.Image, rules Rules) Report {
	t.Helper()
	report, err := Check(t.Context(), img, rules, contents.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return report
}
