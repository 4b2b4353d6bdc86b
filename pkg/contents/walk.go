package contents

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
)

// Limits bound what one walk may cost. Zero stands for the defaults.
type Limits struct {
	// FileBytes are handed to visitors of each file; the rest of a larger file is skipped. 256 MiB.
	FileBytes int64
	// LayerBytes is the size of one layer's tar, decompressed, and also of what its files expand to. 64 GiB, far above what
	// registries take, and read in minutes.
	LayerBytes int64
	// Entries of one layer. 4 million; the largest images seen have some hundred thousand.
	Entries int
}

func (l Limits) filled() Limits {
	if l.FileBytes <= 0 {
		l.FileBytes = 256 << 20
	}
	if l.LayerBytes <= 0 {
		l.LayerBytes = 64 << 30
	}
	if l.Entries <= 0 {
		l.Entries = 4_000_000
	}
	return l
}

// LimitError says that a layer is larger than a walk may read; nothing can be said about the rest of it.
type LimitError struct {
	Layer string // digest
	What  string // what there is too much of, with the limit
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("reading layer %q: it has %s", e.Layer, e.What)
}

// Visitor looks at the entries of an image, layer by layer from the base upwards.
type Visitor interface {
	// Visit is told of an entry. The bytes of a file go to the writer that it returns, which is closed at the file's end; nil
	// means that they are of no interest. An error of the writer ends the walk.
	Visit(e Entry) io.WriteCloser
}

// chunk is how many bytes are read at once.
const chunk = 128 << 10

// Walk hands every entry of every layer to each visitor.
func Walk(ctx context.Context, img Image, limits Limits, visitors ...Visitor) error {
	limits = limits.filled()
	buffer := make([]byte, chunk)
	for i, layer := range img.Layers {
		w := walk{layer: layer, index: i, limits: limits, left: limits.LayerBytes, visitors: visitors, buffer: buffer}
		if err := w.run(ctx); err != nil {
			var limit *LimitError
			if errors.As(err, &limit) || ctx.Err() != nil {
				return err
			}
			return fmt.Errorf("reading layer %q: %w", layer.Digest, err)
		}
	}
	return nil
}

// walk is the reading of one layer.
type walk struct {
	layer    Layer
	index    int
	limits   Limits
	left     int64 // bytes that files may still expand to
	visitors []Visitor
	buffer   []byte
}

func (w *walk) run(ctx context.Context) error {
	stored, err := w.layer.Open()
	if err != nil {
		return err
	}
	defer func() { _ = stored.Close() }()
	plain, end, err := decompress(stored)
	if err != nil {
		return err
	}
	defer end()
	bounded := &bounded{next: plain, left: w.limits.LayerBytes, over: w.over("a tar of more than %d bytes", w.limits.LayerBytes)}
	files := tar.NewReader(bounded)
	for n := 0; ; n++ {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		header, err := files.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case n >= w.limits.Entries:
			return w.over("more than %d entries", w.limits.Entries)
		}
		if header.Typeflag == tar.TypeXGlobalHeader {
			continue
		}
		if err := w.file(ctx, entryOf(w.index, header), files); err != nil {
			return err
		}
	}
}

// file hands one entry to the visitors, and its bytes to those that want them.
func (w *walk) file(ctx context.Context, e Entry, body io.Reader) error {
	var sinks []io.WriteCloser
	for _, v := range w.visitors {
		if sink := v.Visit(e); sink != nil {
			sinks = append(sinks, sink)
		}
	}
	var problems []error
	if e.Kind == File && len(sinks) > 0 {
		problems = append(problems, w.copy(ctx, body, sinks))
	}
	for _, sink := range sinks {
		problems = append(problems, sink.Close())
	}
	return errors.Join(problems...)
}

// copy moves a file's bytes up to the limit. A sparse file costs nothing to store however large it claims to be, so what it
// expands to is counted here.
func (w *walk) copy(ctx context.Context, body io.Reader, sinks []io.WriteCloser) error {
	for most := w.limits.FileBytes; most > 0; {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		n, err := body.Read(w.buffer[:min(int64(len(w.buffer)), most)])
		most -= int64(n)
		if w.left -= int64(n); w.left < 0 {
			return w.over("files of files of more than %d bytes", w.limits.LayerBytes)
		}
		for _, sink := range sinks {
			if _, err := sink.Write(w.buffer[:n]); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
	return nil
}

func (w *walk) over(format string, args ...any) error {
	return &LimitError{Layer: w.layer.Digest, What: fmt.Sprintf(format, args...)}
}

// bounded reads up to a limit and then gives an error instead of an end, which would look like a whole layer.
type bounded struct {
	next io.Reader
	left int64
	over error
}

// Read implements [io.Reader].
func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, b.over
	}
	n, err := b.next.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}
