package contents

import (
	"archive/tar"
	"path"
	"strings"
)

// Kind is what an entry of a layer is.
type Kind int

// The kinds of entries. Whiteout and Opaque are how a layer removes what lower layers have (OCI image specification,
// "Whiteouts").
const (
	File     Kind = iota // a regular file
	Folder               // a directory
	Link                 // a symbolic or a hard link, or a device: it has no bytes of its own
	Whiteout             // Path is removed, with all that is below it
	Opaque               // what lower layers have below Path is removed
)

// Entry is one entry of a layer.
type Entry struct {
	Kind Kind
	// Layer is the index in [Image.Layers].
	Layer int
	// Path in the image, absolute and clean, whatever the layer calls it.
	Path string
	// Size in bytes, as the layer claims it; what comes may be less than that.
	Size int64
	// Executable says that the file may be run by somebody.
	Executable bool
}

const (
	whiteoutPrefix = ".wh."
	opaqueName     = ".wh..wh..opq"
)

// entryOf reads a tar header.
func entryOf(layer int, h *tar.Header) Entry {
	// Cleaning an absolute path drops every "..", so no name leads out of the root.
	e := Entry{Layer: layer, Path: path.Clean("/" + h.Name), Size: h.Size, Executable: h.Mode&0o111 != 0}
	folder, name := path.Split(e.Path)
	switch {
	case name == opaqueName:
		e.Kind, e.Path = Opaque, path.Clean(folder)
	case strings.HasPrefix(name, whiteoutPrefix):
		e.Kind, e.Path = Whiteout, path.Join(folder, strings.TrimPrefix(name, whiteoutPrefix))
	case h.Typeflag == tar.TypeReg || h.Typeflag == tar.TypeGNUSparse:
		e.Kind = File
	case h.Typeflag == tar.TypeDir:
		e.Kind = Folder
	default:
		e.Kind = Link
	}
	return e
}

// Hides says whether an entry of a higher layer makes the file at p invisible.
func (e Entry) Hides(p string) bool {
	below := strings.HasPrefix(p, strings.TrimSuffix(e.Path, "/")+"/")
	switch e.Kind {
	case Whiteout:
		return e.Path == p || below
	case Opaque:
		return below
	case Folder:
		return e.Path == p
	}
	return e.Path == p || below // a file or a link where a folder was
}
