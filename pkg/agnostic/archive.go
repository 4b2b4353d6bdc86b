package agnostic

import (
	"archive/zip"
	"bytes"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/org/promote/pkg/contents"
)

const (
	// largestArchive in bytes is held in memory, since an archive's index stands at its end. Programs of Java with all that
	// they need have some 100 MiB; a larger one is noted and not looked into.
	largestArchive = 256 << 20
	// expanded in bytes bounds what all files of one archive may come to, whatever they claim.
	expanded = 1 << 30
	// archived files at most; Java's own library has some 30,000.
	mostArchived = 100_000
)

// archives are files that a service is packed in, in formats of zip.
var archives = []string{".jar", ".war", ".ear", ".zip", ".whl"}

// isArchive says whether a file of the service's own is one to look into. Those in a folder called lib are other people's.
func isArchive(p string) bool {
	return slices.Contains(archives, strings.ToLower(path.Ext(p))) && !inFolder(p, []string{"lib", "libs"})
}

// archive holds one file and looks at what it has packed.
type archive struct {
	scan  *Scan
	entry contents.Entry
	where place
	data  []byte
}

// Write implements [io.Writer].
func (a *archive) Write(p []byte) (int, error) {
	a.data = append(a.data, p...)
	return len(p), nil
}

// Close implements [io.Closer]: it looks at each packed file as at any other. What only claims to be an archive is looked at
// as a whole.
func (a *archive) Close() error {
	packed, err := zip.NewReader(bytes.NewReader(a.data), int64(len(a.data)))
	if err != nil {
		a.scan.file.start(a.scan, a.entry, a.where)
		_, _ = a.scan.file.Write(a.data) // it only remembers
		return a.scan.file.Close()
	}
	a.scan.bytes += int64(len(a.data))
	left := a.scan.expand
	for i, file := range packed.File {
		if i >= mostArchived || left <= 0 {
			a.scan.cut++
			return nil
		}
		if file.Mode().IsRegular() {
			left -= a.packed(file, left)
		}
	}
	return nil
}

// packed looks at one file, up to a number of bytes, and says how many there were. A file that does not unpack is left out:
// the service cannot read it either.
func (a *archive) packed(file *zip.File, most int64) int64 {
	e := a.entry
	e.Path += inArchive + path.Clean("/"+file.Name)
	e.Size = int64(min(file.UncompressedSize64, expanded))
	where := placeOf(e.Path)
	body, err := file.Open()
	if err != nil || where == published {
		return 0
	}
	defer func() { _ = body.Close() }()
	a.scan.files++
	one := &a.scan.file
	one.start(a.scan, e, where)
	n, _ := io.Copy(one, io.LimitReader(body, most)) // what came before an error has been looked at
	one.packed = true
	_ = one.Close() // it never fails
	return n
}

// inArchive stands between an archive's path and that of a file in it.
const inArchive = "!"

// onDisk is the path of the file in the layer that a finding's path is about.
func onDisk(p string) string {
	outer, _, _ := strings.Cut(p, inArchive+"/")
	return outer
}
