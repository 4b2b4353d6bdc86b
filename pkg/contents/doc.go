// Package contents is what an image is made of, as values that can be read: its config, the steps that made it, and its
// layers as streams. It knows no registry and no client library; pkg/image fills it.
//
// [Walk] reads every layer once and hands each file to all visitors at the same time, so that a check and a bill of materials
// cost one decompression together. It keeps no file in memory.
//
// A layer is made by whoever wrote the Dockerfile or its base, so Walk takes nothing in it for granted. It refuses layers that
// are larger than its limits, whatever they claim, and compressions other than gzip and zstd. Names that lead out of the
// root come out as names below it; it writes nothing to disk.
//
//	err := contents.Walk(ctx, img, contents.Limits{}, scan, bill)
package contents
