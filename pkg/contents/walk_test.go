package contents

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// record is a visitor that keeps everything.
type record struct {
	entries []Entry
	bodies  map[string]string
}

func (r *record) Visit(e Entry) io.WriteCloser {
	r.entries = append(r.entries, e)
	if e.Kind != File {
		return nil
	}
	return &body{record: r, path: e.Path}
}

type body struct {
	bytes.Buffer
	record *record
	path   string
}

func (b *body) Close() error {
	if b.record.bodies == nil {
		b.record.bodies = map[string]string{}
	}
	b.record.bodies[b.path] = b.String()
	return nil
}

func pack(t testing.TB, headers ...tar.Header) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, h := range headers {
		content := "content of " + h.Name
		if h.Typeflag == 0 {
			h.Typeflag, h.Size = tar.TypeReg, int64(len(content))
		}
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if h.Typeflag == tar.TypeReg {
			if _, err := io.WriteString(w, content); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func compressed(t testing.TB, data []byte, by func(io.Writer) io.WriteCloser) []byte {
	t.Helper()
	var out bytes.Buffer
	w := by(&out)
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func toGzip(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) }

func toZstd(w io.Writer) io.WriteCloser {
	z, err := zstd.NewWriter(w)
	if err != nil {
		panic(err)
	}
	return z
}

func layerOf(data []byte) Layer {
	return Layer{Digest: "sha256:1", Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }}
}

func TestWalkReadsEveryCompression(t *testing.T) {
	plain := pack(t, tar.Header{Name: "app/a"}, tar.Header{Name: "app/b"})
	// A skippable frame of four bytes before the data, as zstd:chunked layers have them.
	skippable := append([]byte{0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4}, compressed(t, plain, toZstd)...)
	for name, data := range map[string][]byte{
		"tar": plain, "gzip": compressed(t, plain, toGzip), "zstd": compressed(t, plain, toZstd), "zstd after a skippable frame": skippable,
	} {
		t.Run(name, func(t *testing.T) {
			var first, second record
			if err := Walk(t.Context(), Image{Layers: []Layer{layerOf(data)}}, Limits{}, &first, &second); err != nil {
				t.Fatal(err)
			}
			want := map[string]string{"/app/a": "content of app/a", "/app/b": "content of app/b"}
			if diff := cmp.Diff(want, first.bodies); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(first.bodies, second.bodies); diff != "" {
				t.Errorf("the second visitor saw other files (-first +second):\n%s", diff)
			}
		})
	}
}

func TestEntriesAreUnderstood(t *testing.T) {
	data := pack(t,
		tar.Header{Name: "./app/", Typeflag: tar.TypeDir},
		tar.Header{Name: "../../etc/passwd"},
		tar.Header{Name: "/app/../run", Mode: 0o755},
		tar.Header{Name: "app/link", Typeflag: tar.TypeSymlink, Linkname: "/etc/shadow"},
		tar.Header{Name: "app/.wh.gone"},
		tar.Header{Name: "app/.wh..wh..opq"},
	)
	var got record
	if err := Walk(t.Context(), Image{Layers: []Layer{layerOf(data)}}, Limits{}, &got); err != nil {
		t.Fatal(err)
	}
	type short struct {
		Kind Kind
		Path string
		Run  bool
	}
	var entries []short
	for _, e := range got.entries {
		entries = append(entries, short{e.Kind, e.Path, e.Executable})
	}
	want := []short{
		{Folder, "/app", false}, {File, "/etc/passwd", false}, {File, "/run", true}, {Link, "/app/link", false},
		{Whiteout, "/app/gone", false}, {Opaque, "/app", false},
	}
	if diff := cmp.Diff(want, entries); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
}

func TestHides(t *testing.T) {
	for name, c := range map[string]struct {
		entry Entry
		path  string
		want  bool
	}{
		"a whiteout hides its file":               {Entry{Kind: Whiteout, Path: "/a/b"}, "/a/b", true},
		"a whiteout hides what is below it":       {Entry{Kind: Whiteout, Path: "/a"}, "/a/b/c", true},
		"a whiteout leaves its neighbours":        {Entry{Kind: Whiteout, Path: "/a/b"}, "/a/bc", false},
		"an opaque folder hides what is below it": {Entry{Kind: Opaque, Path: "/a"}, "/a/b", true},
		"an opaque root hides everything":         {Entry{Kind: Opaque, Path: "/"}, "/a/b", true},
		"a folder leaves what is below it":        {Entry{Kind: Folder, Path: "/a"}, "/a/b", false},
		"a file replaces a file":                  {Entry{Kind: File, Path: "/a"}, "/a", true},
		"a link replaces a folder":                {Entry{Kind: Link, Path: "/a"}, "/a/b", true},
	} {
		if got := c.entry.Hides(c.path); got != c.want {
			t.Errorf("%s: Hides(%q) = %v", name, c.path, got)
		}
	}
}

func TestWalkRefusesWhatIsTooLarge(t *testing.T) {
	large := pack(t, tar.Header{Name: "zeros"}, tar.Header{Name: "more"})
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := w.WriteHeader(&tar.Header{Name: "zeros", Typeflag: tar.TypeReg, Size: 64 << 20}); err != nil {
		t.Fatal(err)
	}
	b.Write(make([]byte, 64<<20))
	bomb := compressed(t, b.Bytes(), toGzip)
	for name, c := range map[string]struct {
		data   []byte
		limits Limits
		want   string
	}{
		"a gzip bomb":       {bomb, Limits{LayerBytes: 1 << 20}, "of more than 1048576 bytes"},
		"many entries":      {large, Limits{Entries: 1}, "more than 1 entries"},
		"a long layer":      {large, Limits{LayerBytes: 700}, "a tar of more than 700 bytes"},
		"a sparse giant":    {sparse(t), Limits{LayerBytes: 1 << 20}, "files of more than 1048576 bytes"},
		"a truncated layer": {large[:520], Limits{}, "unexpected EOF"},
		"no tar at all":     {bytes.Repeat([]byte("hello "), 1000), Limits{}, "invalid tar header"},
		"a broken gzip":     {append([]byte{0x1f, 0x8b}, "no gzip"...), Limits{}, "decompressing gzip"},
	} {
		t.Run(name, func(t *testing.T) {
			err := Walk(t.Context(), Image{Layers: []Layer{layerOf(c.data)}}, c.limits, &record{})
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "sha256:1") {
				t.Errorf("Walk() = %v, want an error with the layer and %q", err, c.want)
			}
		})
	}
}

// sparse is a tar of 2 KiB with a file that claims to be 1 TiB of holes (the old GNU format, which Go reads and does not write).
func sparse(t *testing.T) []byte {
	t.Helper()
	block := make([]byte, 512)
	copy(block, "hole")
	copy(block[100:], "0000644\x00")
	copy(block[124:], "00000000000\x00") // bytes that are stored
	copy(block[136:], "00000000001\x00")
	block[156] = tar.TypeGNUSparse
	copy(block[257:], "ustar  \x00")
	copy(block[386:], "00000000000\x0000000000000\x00") // one piece: nothing at 0
	real := block[483:495]                              // in base 256: its top bit, then the number
	real[0], real[6] = 0x80, 1                          // 1<<40
	copy(block[148:], "        ")
	sum := 0
	for _, c := range block {
		sum += int(c)
	}
	copy(block[148:], octal(sum))
	return append(block, make([]byte, 1024)...)
}

func octal(n int) string {
	digits := []byte("000000\x00 ")
	for i := 5; i >= 0; i-- {
		digits[i] = byte('0' + n&7)
		n >>= 3
	}
	return string(digits)
}

func TestWalkHandsOutAFileUpToItsLimit(t *testing.T) {
	var got record
	img := Image{Layers: []Layer{layerOf(pack(t, tar.Header{Name: "first"}, tar.Header{Name: "second"}))}}
	if err := Walk(t.Context(), img, Limits{FileBytes: 7}, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"/first": "content", "/second": "content"}, got.bodies); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

func TestWalkStopsWhenItsContextEnds(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	cancel(enough)
	err := Walk(ctx, Image{Layers: []Layer{layerOf(pack(t, tar.Header{Name: "a"}))}}, Limits{}, &record{})
	if !errors.Is(err, enough) {
		t.Errorf("Walk() = %v, want %v", err, enough)
	}
}

func TestAttribute(t *testing.T) {
	history := []Step{{Text: "FROM"}, {Text: "ENV A=b", Empty: true}, {Text: "COPY . /app"}}
	layers := []Layer{{Digest: "1"}, {Digest: "2"}}
	Attribute(history, layers)
	if layers[0].Step != "FROM" || layers[1].Step != "COPY . /app" {
		t.Errorf("steps are %q and %q", layers[0].Step, layers[1].Step)
	}
	squashed := []Layer{{Digest: "1"}}
	if Attribute(history, squashed); squashed[0].Step != "" {
		t.Errorf("a squashed layer got step %q", squashed[0].Step)
	}
}

func TestInstruction(t *testing.T) {
	for text, want := range map[string]string{
		"COPY . /app # buildkit":                              "COPY . /app",
		"RUN /bin/sh -c make all # buildkit":                  "RUN make all",
		"/bin/sh -c #(nop)  CMD [\"/app\"]":                   "CMD [\"/app\"]",
		"/bin/sh -c #(nop) ADD file:2f3c in / ":               "ADD file:2f3c in /",
		"/bin/sh -c apt-get update":                           "RUN apt-get update",
		"ENV PATH=/usr/local/bin:/usr/bin":                    "ENV PATH=/usr/local/bin:/usr/bin",
		"RUN |1 TOKEN=abc /bin/sh -c make # buildkit":         "RUN |1 TOKEN=abc /bin/sh -c make",
		"# debian.sh --arch 'amd64' out/ 'trixie' '@17e0000'": "# debian.sh --arch 'amd64' out/ 'trixie' '@17e0000'",
	} {
		if got := Instruction(text); got != want {
			t.Errorf("Instruction(%q) = %q, want %q", text, got, want)
		}
	}
}

func FuzzWalk(f *testing.F) {
	plain := pack(f, tar.Header{Name: "../a"}, tar.Header{Name: ".wh.b"})
	f.Add(plain)
	f.Add(compressed(f, plain, toGzip))
	f.Add(compressed(f, plain, toZstd))
	f.Fuzz(func(t *testing.T, data []byte) {
		var got record
		_ = Walk(t.Context(), Image{Layers: []Layer{layerOf(data)}}, Limits{FileBytes: 1 << 16, LayerBytes: 1 << 20, Entries: 1000}, &got)
		for _, e := range got.entries {
			if !strings.HasPrefix(e.Path, "/") || strings.Contains(e.Path, "/../") || strings.HasSuffix(e.Path, "/..") {
				t.Errorf("an entry is at %q", e.Path)
			}
		}
	})
}
