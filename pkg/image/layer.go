package image

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/klauspost/compress/gzip"
)

// layer is a compressed layer in a file.
type layer struct {
	file           string
	digest, diffID v1.Hash
	size           int64
	mediaType      types.MediaType
}

// Digest, DiffID, Size, MediaType, Compressed and Uncompressed make it a [v1.Layer].
func (l *layer) Digest() (v1.Hash, error)            { return l.digest, nil }
func (l *layer) DiffID() (v1.Hash, error)            { return l.diffID, nil }
func (l *layer) Size() (int64, error)                { return l.size, nil }
func (l *layer) MediaType() (types.MediaType, error) { return l.mediaType, nil }
func (l *layer) Compressed() (io.ReadCloser, error)  { return os.Open(l.file) }
func (l *layer) Uncompressed() (_ io.ReadCloser, _ error) {
	file, err := os.Open(l.file)
	if err != nil {
		return nil, err
	}
	plain, err := gzip.NewReader(file)
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	return struct {
		io.Reader
		io.Closer
	}{plain, file}, nil
}

// writeLayer writes what is placed as one compressed layer into the folder. Its bytes follow from the names, contents and
// permissions and from epoch alone: all belongs to root, every time is epoch, and gzip notes neither name nor time.
func writeLayer(ctx context.Context, folder string, all []placement, epoch time.Time, as types.MediaType) (_ *layer, err error) {
	file, err := os.CreateTemp(folder, "layer-*.tar.gz")
	if err != nil {
		return nil, fmt.Errorf("making a layer: %w", err)
	}
	defer func() {
		if closing := file.Close(); err == nil && closing != nil {
			err = fmt.Errorf("writing a layer: %w", closing)
		}
	}()
	packed := newDigester(file)
	squeezed := newSqueezer(packed)
	plain := newDigester(squeezed)
	err = writeTar(ctx, plain, inOrder(all), epoch)
	if closing := squeezed.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return nil, fmt.Errorf("writing a layer: %w", err)
	}
	return &layer{file: file.Name(), digest: packed.sum(), diffID: plain.sum(), size: packed.size, mediaType: as}, nil
}

// writeTar writes an archive as the OCI image specification has it: folders before what is in them.
func writeTar(ctx context.Context, w io.Writer, all []placement, epoch time.Time) error {
	archive := tar.NewWriter(w)
	for _, p := range all {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := writeEntry(archive, p, epoch); err != nil {
			return fmt.Errorf("adding %q: %w", "/"+p.name, err)
		}
	}
	return archive.Close()
}

func writeEntry(archive *tar.Writer, p placement, epoch time.Time) error {
	header := &tar.Header{Name: p.name, Mode: p.mode, ModTime: epoch.Truncate(time.Second), Typeflag: tar.TypeReg}
	switch {
	case p.folder:
		header.Typeflag, header.Name = tar.TypeDir, p.name+"/"
	case p.link != "":
		header.Typeflag, header.Linkname = tar.TypeSymlink, p.link
	}
	if header.Typeflag != tar.TypeReg {
		return archive.WriteHeader(header)
	}
	file, err := os.Open(p.source)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	header.Size = info.Size()
	if err := archive.WriteHeader(header); err != nil {
		return err
	}
	_, err = io.Copy(archive, file) // a file that grows or shrinks meanwhile is an error of the archive
	return err
}

// digester passes bytes on and keeps their SHA-256 and their number.
type digester struct {
	next io.Writer
	hash hash.Hash
	size int64
}

func newDigester(next io.Writer) *digester { return &digester{next: next, hash: sha256.New()} }

// Write implements [io.Writer].
func (d *digester) Write(p []byte) (int, error) {
	n, err := d.next.Write(p)
	_, _ = d.hash.Write(p[:n]) // a hash takes everything
	d.size += int64(n)
	return n, err
}

func (d *digester) sum() v1.Hash {
	return v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(d.hash.Sum(nil))}
}

// blobsOf is where an OCI layout keeps blobs of SHA-256.
func blobsOf(dir string) string { return filepath.Join(dir, "blobs", "sha256") }
