package contents

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

var (
	gzipMagic = []byte{0x1f, 0x8b}
	zstdMagic = []byte{0x28, 0xb5, 0x2f, 0xfd}
	// skippable frames (0x184D2A50 to 5F) begin layers in the zstd:chunked format of some builders.
	zstdSkippable = []byte{0x2a, 0x4d, 0x18}
)

// zstdWindow in bytes bounds what a layer can make the decoder hold. Encoders use 8 MiB, and up to 128 MiB at their highest
// level (RFC 8878, section 3.1.1.1.2).
const zstdWindow = 128 << 20

// decompress looks at the bytes and not at the media type, which often says something else. The caller calls end when done.
func decompress(stored io.Reader) (plain io.Reader, end func(), err error) {
	r := bufio.NewReaderSize(stored, chunk)
	magic, err := r.Peek(4)
	if err != nil && len(magic) == 0 && !errors.Is(err, io.EOF) {
		return nil, nil, err
	}
	switch {
	case bytes.HasPrefix(magic, gzipMagic):
		z, err := gzip.NewReader(r)
		if err != nil {
			return nil, nil, fmt.Errorf("decompressing gzip: %w", err)
		}
		return z, func() { _ = z.Close() }, nil
	case bytes.HasPrefix(magic, zstdMagic), len(magic) == 4 && magic[0]>>4 == 5 && bytes.Equal(magic[1:], zstdSkippable):
		// One goroutine: the other layers of a build are pushed meanwhile.
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(zstdWindow), zstd.WithDecoderLowmem(true))
		if err != nil {
			return nil, nil, fmt.Errorf("decompressing zstd: %w", err)
		}
		return z, z.Close, nil
	}
	return r, func() {}, nil
}
