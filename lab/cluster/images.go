package cluster

import (
	"archive/tar"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

var emptyIndex = empty.Index

// pauseFrom is an image of one file.
func pauseFrom(program string) (v1.Image, error) {
	return assemble(v1.Config{Entrypoint: []string{"/pause"}, User: "65535:65535"}, func(w *tar.Writer) error {
		return addFile(w, program, "pause", 0o755)
	})
}

// golangFrom is this machine's Go as the image `golang` has it: the same places, the same environment. It has no shell and no
// other program, so a Dockerfile must write RUN in its exec form, as it should anyway.
func golangFrom(goroot, version string) (v1.Image, error) {
	cfg := v1.Config{
		Env: []string{
			"PATH=/go/bin:/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
			"GOLANG_VERSION=" + version, "GOPATH=/go", "GOTOOLCHAIN=local", "HOME=/root",
		},
		WorkingDir: "/go",
	}
	return assemble(cfg, func(w *tar.Writer) error {
		for _, dir := range []string{"etc", "go", "go/bin", "go/src", "root", "usr", "usr/local"} {
			if err := addFolder(w, dir, 0o755); err != nil {
				return err
			}
		}
		if err := addFolder(w, "tmp", 0o1777); err != nil {
			return err
		}
		passwd := "root:x:0:0:root:/root:/sbin/nologin\n"
		header := &tar.Header{Typeflag: tar.TypeReg, Name: "etc/passwd", Mode: 0o644, Size: int64(len(passwd))}
		if err := w.WriteHeader(header); err != nil {
			return err
		}
		if _, err := io.WriteString(w, passwd); err != nil {
			return err
		}
		return addTree(w, goroot, "usr/local/go", keepInImage)
	})
}

// keepInImage leaves out what no build reads, nearly half of a Go installation: tests, the tools' own sources, documentation.
func keepInImage(path string, dir bool) bool {
	top, _, _ := strings.Cut(path, "/")
	switch {
	case top == "test", top == "api", top == "doc", top == "misc":
		return false
	case path == "src/cmd", path == "pkg/obj":
		return false
	case dir:
		return filepath.Base(path) != "testdata"
	default:
		return !strings.HasSuffix(path, "_test.go")
	}
}

// assemble makes an image of one layer, the same bytes every time.
func assemble(cfg v1.Config, fill func(*tar.Writer) error) (v1.Image, error) {
	open := func() (io.ReadCloser, error) {
		reader, writer := io.Pipe()
		go func() {
			w := tar.NewWriter(writer)
			err := fill(w)
			if err == nil {
				err = w.Close()
			}
			writer.CloseWithError(err)
		}()
		return reader, nil
	}
	layer, err := tarball.LayerFromOpener(open, tarball.WithMediaType(types.OCILayer), tarball.WithCompressedCaching)
	if err != nil {
		return nil, err
	}
	base := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	image, err := mutate.AppendLayers(base, layer)
	if err != nil {
		return nil, err
	}
	file, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	file = file.DeepCopy()
	file.OS, file.Architecture, file.Config = "linux", runtime.GOARCH, cfg
	file.Created = v1.Time{Time: time.Unix(0, 0).UTC()}
	return mutate.ConfigFile(image, file)
}

// addTree adds a folder's files and links below a path of the image.
func addTree(w *tar.Writer, root, target string, keep func(path string, dir bool) bool) error {
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		name := filepath.Join(target, relative)
		switch {
		case relative != "." && !keep(relative, d.IsDir()):
			if d.IsDir() {
				return filepath.SkipDir
			}
			return nil
		case d.IsDir():
			return addFolder(w, name, 0o755)
		case d.Type()&fs.ModeSymlink != 0:
			link, err := os.Readlink(path)
			if err != nil {
				return err
			}
			return w.WriteHeader(&tar.Header{Typeflag: tar.TypeSymlink, Name: name, Linkname: link, Mode: 0o777})
		case d.Type().IsRegular():
			info, err := d.Info()
			if err != nil {
				return err
			}
			return addFile(w, path, name, 0o644|int64(info.Mode().Perm()&0o111))
		default:
			return fmt.Errorf("adding %q to an image: it is no file, folder or link", path)
		}
	})
}

func addFolder(w *tar.Writer, name string, mode int64) error {
	return w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: name + "/", Mode: mode})
}

func addFile(w *tar.Writer, path, name string, mode int64) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	// Times and owners would make every machine's image another one.
	if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: mode, Size: info.Size()}); err != nil {
		return err
	}
	_, err = io.Copy(w, file)
	return err
}
