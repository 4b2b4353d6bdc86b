package image

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// made is an image as a layout on disk has it.
func made(t *testing.T, built Built) v1.Image {
	t.Helper()
	path, err := layout.FromPath(built.Layout)
	if err != nil {
		t.Fatal(err)
	}
	hash, err := v1.NewHash(built.Digest)
	if err != nil {
		t.Fatal(err)
	}
	img, err := path.Image(hash)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// entries lists a layer: "mode owner size time name" and the text of small files.
func entries(t *testing.T, img v1.Image, number int) []string {
	t.Helper()
	layers, err := img.Layers()
	if err != nil {
		t.Fatal(err)
	}
	body, err := layers[number].Uncompressed()
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	var lines []string
	for archive := tar.NewReader(body); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return lines
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(archive)
		if err != nil {
			t.Fatal(err)
		}
		line := fmt.Sprintf("%o %d:%d%s%s %d %s", header.Mode, header.Uid, header.Gid, header.Uname, header.Gname, header.ModTime.Unix(), header.Name)
		if header.Linkname != "" {
			line += " -> " + header.Linkname
		}
		if len(text) > 0 && len(text) < 100 {
			line += " = " + string(text)
		}
		lines = append(lines, line)
	}
}

// build builds into a fresh folder.
func build(t *testing.T, req BuildRequest) (Built, string) {
	t.Helper()
	req.Epoch, req.Out = epoch, filepath.Join(t.TempDir(), "layout")
	var log bytes.Buffer
	built, err := Build(t.Context(), req, &log)
	if err != nil {
		t.Fatalf("%v\n%s", err, log.String())
	}
	return built, log.String()
}

// elsewhere gives the same files in another folder, as a person with another umask has them at another time.
func elsewhere(t *testing.T, dir string) string {
	t.Helper()
	other := filepath.Join(t.TempDir(), "another name")
	if err := os.CopyFS(other, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(other, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.Type()&os.ModeSymlink != 0 {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		return errors.Join(os.Chmod(path, info.Mode()&0o700), os.Chtimes(path, time.Unix(1, 0), time.Unix(2, 0)))
	})
	if err != nil {
		t.Fatal(err)
	}
	return other
}

func TestFilesBuilder(t *testing.T) {
	dir := folder(t, map[string]string{"bin/app": "program", "web/index.html": "hello", "web/.git/config": "no", "conf": "x=1"})
	for _, err := range []error{os.Chmod(filepath.Join(dir, "bin/app"), 0o775), os.Symlink("index.html", filepath.Join(dir, "web/link"))} {
		if err != nil {
			t.Fatal(err)
		}
	}
	req := BuildRequest{
		Context: dir, Builder: "files", Files: []string{"bin/app:/usr/bin/", "web:/srv/web", "conf:/etc/app.conf"},
		Entrypoint: []string{"/usr/bin/app", "--port=80, really"}, Labels: []string{"team=a=b"},
	}
	built, log := build(t, req)
	t.Run("makes one layer that is root's, with the commit's time and git's permissions", func(t *testing.T) {
		stamp := fmt.Sprintf("0:0 %d ", epoch.Unix())
		want := []string{
			"755 " + stamp + "etc/", "644 " + stamp + "etc/app.conf = x=1",
			"755 " + stamp + "srv/", "755 " + stamp + "srv/web/", "644 " + stamp + "srv/web/index.html = hello", "777 " + stamp + "srv/web/link -> index.html",
			"755 " + stamp + "usr/", "755 " + stamp + "usr/bin/", "755 " + stamp + "usr/bin/app = program",
		}
		if diff := cmp.Diff(want, entries(t, made(t, built), 0)); diff != "" {
			t.Errorf("the layer (-want +got):\n%s", diff)
		}
	})
	t.Run("the config says what to run, as nobody", func(t *testing.T) {
		config, err := made(t, built).ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		want := v1.Config{Entrypoint: req.Entrypoint, User: "65532:65532", Labels: map[string]string{"team": "a=b"}}
		if diff := cmp.Diff(want, config.Config); diff != "" {
			t.Errorf("the config (-want +got):\n%s", diff)
		}
		if !config.Created.Equal(epoch) || config.OS != "linux" || config.Architecture != runtime.GOARCH || !strings.Contains(log, "base scratch") {
			t.Errorf("created %v for %s; log:\n%s", config.Created, config.Platform(), log)
		}
	})
	t.Run("the same files in another folder, with another umask and other times, give the same digest", func(t *testing.T) {
		old := syscall.Umask(0o077)
		defer syscall.Umask(old)
		again := req
		again.Context = elsewhere(t, dir)
		if other, _ := build(t, again); other.Digest != built.Digest {
			t.Errorf("the digest is %s, then %s", built.Digest, other.Digest)
		}
	})
	t.Run("each thing that is asked for changes the digest", func(t *testing.T) {
		for name, change := range map[string]func(*BuildRequest){
			"other files":      func(r *BuildRequest) { r.Files = r.Files[:2] },
			"other entrypoint": func(r *BuildRequest) { r.Entrypoint = nil },
			"other labels":     func(r *BuildRequest) { r.Labels = nil },
			"other platform":   func(r *BuildRequest) { r.Platforms = []string{"linux/s390x"} },
		} {
			other := req
			change(&other)
			if got, _ := build(t, other); got.Digest == built.Digest {
				t.Errorf("%s give the same digest", name)
			}
		}
	})
	t.Run("a folder alone becomes the image's root", func(t *testing.T) {
		got, _ := build(t, BuildRequest{Context: dir, Files: []string{"web"}})
		if got.Builder != "files" || !strings.HasSuffix(entries(t, made(t, got), 0)[0], " index.html = hello") {
			t.Errorf("builder %s made %q", got.Builder, entries(t, made(t, got), 0))
		}
	})
	t.Run("all that is wrong with the files is said at once", func(t *testing.T) {
		if err := os.Symlink("/etc", filepath.Join(dir, "out")); err != nil {
			t.Fatal(err)
		}
		_, err := Build(t.Context(), BuildRequest{
			Context: dir, Builder: "files", Epoch: epoch, Out: filepath.Join(t.TempDir(), "x"), Args: map[string]string{"A": "1"}, Target: "x", Cache: "r.example/x:c",
			Files: []string{"nowhere:/x", "conf", "conf:relative", "/etc/passwd:/p", "../x:/x", "out:/etc", "conf:/a", "bin/app:/a", "conf:/", "conf:/.."},
		}, io.Discard)
		if err == nil {
			t.Fatal("Build() passed")
		}
		for _, want := range []string{
			`"nowhere:/x": no such file`, `"conf": it is a file and says not where`, `"conf:relative": it is not source:/destination`,
			`"/etc/passwd:/p": its source is not relative`, `"../x:/x"`, `"out:/etc": it leads out of the build context`,
			`"bin/app:/a": /a is there already, from "conf:/a"`, `"conf:/..": its destination is the image's root`,
			"reading the build arguments: it has no meaning for an image made of files", "reading the target", "reading the cache",
		} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("the error does not say %s:\n%v", want, err)
			}
		}
	})
}

func TestFilesOnABase(t *testing.T) {
	s := serve(t)
	dir := folder(t, map[string]string{"conf": "x=1"})
	push := func(t *testing.T, kind types.MediaType, platforms ...v1.Platform) (string, v1.Image) {
		t.Helper()
		var images []mutate.IndexAddendum
		for _, p := range platforms {
			img, err := mutate.ConfigFile(mutate.MediaType(fixedImage(), kind), &v1.ConfigFile{
				OS: p.OS, Architecture: p.Architecture, Variant: p.Variant,
				Config: v1.Config{Entrypoint: []string{"/sh"}, Cmd: []string{"-l"}, User: "7", Env: []string{"A=1"}, Labels: map[string]string{"base": "yes"}},
			})
			if err != nil {
				t.Fatal(err)
			}
			images = append(images, mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: &p}})
		}
		out := filepath.Join(t.TempDir(), "layout")
		path, err := layout.Write(out, empty.Index)
		if err != nil {
			t.Fatal(err)
		}
		if len(images) == 1 {
			err = path.AppendImage(images[0].Add.(v1.Image))
		} else {
			err = path.AppendIndex(mutate.AppendManifests(mutate.IndexMediaType(empty.Index, types.OCIImageIndex), images...))
		}
		if err != nil {
			t.Fatal(err)
		}
		pushed, err := Push(t.Context(), out, s.repository, []string{"base"})
		if err != nil {
			t.Fatal(err)
		}
		return pushed.Digest, images[0].Add.(v1.Image)
	}
	amd, arm := v1.Platform{OS: "linux", Architecture: "amd64"}, v1.Platform{OS: "linux", Architecture: "arm64", Variant: "v8"}
	req := BuildRequest{Context: dir, Builder: "files", Files: []string{"conf:/conf"}, Base: s.repository + ":base", Platforms: []string{"linux/amd64"}}

	t.Run("keeps what the base has and says its digest", func(t *testing.T) {
		digest, below := push(t, types.DockerManifestSchema2, amd)
		built, log := build(t, req)
		if !strings.Contains(log, "base "+req.Base+" is "+digest) {
			t.Errorf("the log does not name the base's digest:\n%s", log)
		}
		img := made(t, built)
		manifest, err := img.Manifest()
		if err != nil {
			t.Fatal(err)
		}
		old, err := below.Layers()
		if err != nil || len(manifest.Layers) != len(old)+1 {
			t.Errorf("%d layers on %d, %v", len(manifest.Layers), len(old), err)
		}
		if top := manifest.Layers[len(old)]; top.MediaType != types.DockerLayer || manifest.Annotations["org.opencontainers.image.base.digest"] != digest {
			t.Errorf("the layer is a %s; annotations %v", top.MediaType, manifest.Annotations)
		}
		config, err := img.ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		want := v1.Config{Entrypoint: []string{"/sh"}, Cmd: []string{"-l"}, User: "7", Env: []string{"A=1"}, Labels: map[string]string{"base": "yes"}}
		if diff := cmp.Diff(want, config.Config); diff != "" {
			t.Errorf("the config (-want +got):\n%s", diff)
		}
		if _, err := Push(t.Context(), built.Layout, s.repository, []string{"made"}); err != nil {
			t.Error(err)
		}
	})
	t.Run("an entrypoint of its own drops the base's arguments", func(t *testing.T) {
		push(t, types.OCIManifestSchema1, amd)
		own := req
		own.Entrypoint = []string{"/own"}
		built, _ := build(t, own)
		config, err := made(t, built).ConfigFile()
		if err != nil || len(config.Config.Cmd) != 0 || config.Config.Entrypoint[0] != "/own" {
			t.Errorf("config %+v, %v", config.Config, err)
		}
	})
	t.Run("several platforms make an index, each on its own base", func(t *testing.T) {
		push(t, types.OCIManifestSchema1, amd, arm)
		both := req
		both.Platforms = []string{"linux/amd64", "linux/arm64"}
		built, _ := build(t, both)
		path, err := layout.FromPath(built.Layout)
		if err != nil {
			t.Fatal(err)
		}
		hash, _ := v1.NewHash(built.Digest)
		root, err := path.ImageIndex()
		if err != nil {
			t.Fatal(err)
		}
		index, err := root.ImageIndex(hash)
		if err != nil {
			t.Fatal(err)
		}
		manifest, err := index.IndexManifest()
		if err != nil {
			t.Fatal(err)
		}
		var platforms []string
		for _, child := range manifest.Manifests {
			img, err := index.Image(child.Digest)
			if err != nil {
				t.Fatal(err)
			}
			config, err := img.ConfigFile()
			if err != nil {
				t.Fatal(err)
			}
			platforms = append(platforms, child.Platform.String()+" "+config.Platform().String())
		}
		if diff := cmp.Diff([]string{"linux/amd64 linux/amd64", "linux/arm64 linux/arm64/v8"}, platforms); diff != "" {
			t.Errorf("platforms (-want +got):\n%s", diff)
		}
		if again, _ := build(t, both); again.Digest != built.Digest {
			t.Errorf("the digest is %s, then %s", built.Digest, again.Digest)
		}
	})
	t.Run("a base without the platform is refused by name", func(t *testing.T) {
		for name, platforms := range map[string][]v1.Platform{"one": {arm}, "index": {arm, {OS: "linux", Architecture: "s390x"}}} {
			push(t, types.OCIManifestSchema1, platforms...)
			bad := req
			bad.Epoch, bad.Out = epoch, filepath.Join(t.TempDir(), name)
			if _, err := Build(t.Context(), bad, io.Discard); err == nil || !strings.Contains(err.Error(), "linux/amd64") || !strings.Contains(err.Error(), req.Base) {
				t.Errorf("%s: Build() = %v", name, err)
			}
		}
	})
	t.Run("a base that is not there is not found", func(t *testing.T) {
		bad := req
		bad.Base, bad.Epoch, bad.Out = s.repository+":nowhere", epoch, filepath.Join(t.TempDir(), "x")
		var missing *NotFoundError
		if _, err := Build(t.Context(), bad, io.Discard); !errors.As(err, &missing) {
			t.Errorf("Build() = %v, want a NotFoundError", err)
		}
	})
}

func TestGoBuilder(t *testing.T) {
	dir := folder(t, map[string]string{"go.mod": goMod, "cmd/server/main.go": mainGo, "cmd/server/page.html": "hello"})
	req := BuildRequest{Context: filepath.Join(dir, "cmd/server")}
	built, log := build(t, req)
	t.Run("is taken when there is no Dockerfile, and says so", func(t *testing.T) {
		if want := "there is no Dockerfile but a Go main package"; built.Builder != "go" || !strings.Contains(log, want) {
			t.Errorf("builder %s; the log does not say %q:\n%s", built.Builder, want, log)
		}
	})
	t.Run("makes an image that runs the program", func(t *testing.T) {
		config, err := made(t, built).ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"/app/server"}, config.Config.Entrypoint); diff != "" {
			t.Errorf("entrypoint (-want +got):\n%s", diff)
		}
		program := filepath.Join(t.TempDir(), "program")
		extract(t, made(t, built), "app/server", program)
		if out, err := exec.Command(program).CombinedOutput(); err != nil || string(out) != "hello\n" {
			t.Errorf("the program says %q, %v", out, err)
		}
	})
	t.Run("the same source in another folder, with another umask and other settings, gives the same digest", func(t *testing.T) {
		old := syscall.Umask(0o077)
		defer syscall.Umask(old)
		t.Setenv("GOFLAGS", "-tags=other")
		t.Setenv("CGO_ENABLED", "1")
		other, _ := build(t, BuildRequest{Context: filepath.Join(elsewhere(t, dir), "cmd/server")})
		if other.Digest != built.Digest {
			t.Errorf("the digest is %s, then %s", built.Digest, other.Digest)
		}
	})
	t.Run("takes files along, and another entrypoint", func(t *testing.T) {
		with := req
		with.Files, with.Entrypoint = []string{"page.html:/srv/"}, []string{"/app/server", "-v"}
		got, _ := build(t, with)
		lines := strings.Join(entries(t, made(t, got), 0), "\n")
		config, err := made(t, got).ConfigFile()
		if err != nil || !strings.Contains(lines, "srv/page.html = hello") || len(config.Config.Entrypoint) != 2 {
			t.Errorf("layer:\n%s\nentrypoint %q, %v", lines, config.Config.Entrypoint, err)
		}
	})
	t.Run("cross-compiles for each platform", func(t *testing.T) {
		with := req
		with.Platforms = []string{"linux/amd64", "linux/arm/v7"}
		got, log := build(t, with)
		image, err := open(got.Layout)
		if err != nil || !strings.Contains(log, "for linux/arm/v7") {
			t.Fatalf("%v\n%s", err, log)
		}
		if index, ok := image.Taggable.(v1.ImageIndex); !ok {
			t.Errorf("it is a %T", image.Taggable)
		} else if manifest, err := index.IndexManifest(); err != nil || len(manifest.Manifests) != 2 {
			t.Errorf("%+v, %v", manifest, err)
		}
	})
	t.Run("a program that does not compile fails with the compiler's words", func(t *testing.T) {
		broken := BuildRequest{Context: folder(t, map[string]string{"go.mod": goMod, "main.go": "package main\n\nfunc main() { undefined() }\n"}), Epoch: epoch, Out: filepath.Join(t.TempDir(), "x")}
		_, err := Build(t.Context(), broken, io.Discard)
		var failed *BuildError
		if !errors.As(err, &failed) || !strings.Contains(err.Error(), "undefined: undefined") {
			t.Errorf("Build() = %v, want a BuildError", err)
		}
	})
	t.Run("a folder without a main package is refused before anything starts", func(t *testing.T) {
		bad := BuildRequest{Context: folder(t, map[string]string{"go.mod": goMod}), Builder: "go", Epoch: epoch, Out: filepath.Join(t.TempDir(), "x")}
		if _, err := Build(t.Context(), bad, io.Discard); err == nil || !strings.Contains(err.Error(), "it is not a main package") {
			t.Errorf("Build() = %v", err)
		}
	})
}

// extract writes one file of an image's first layer.
func extract(t *testing.T, img v1.Image, name, to string) {
	t.Helper()
	layers, err := img.Layers()
	if err != nil {
		t.Fatal(err)
	}
	body, err := layers[0].Uncompressed()
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	for archive := tar.NewReader(body); ; {
		header, err := archive.Next()
		if err != nil {
			t.Fatalf("looking for %s: %v", name, err)
		}
		if header.Name != name {
			continue
		}
		data, err := io.ReadAll(archive)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, data, 0o755); err != nil {
			t.Fatal(err)
		}
		return
	}
}

func TestSqueezer(t *testing.T) {
	// Three and a half chunks, in pieces that do not fit them.
	data := make([]byte, 3*squeezeChunk+squeezeChunk/2)
	rand.New(rand.NewSource(1)).Read(data[:squeezeChunk])
	pack := func(t *testing.T, processors int) []byte {
		t.Helper()
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(processors))
		var out bytes.Buffer
		s := newSqueezer(&out)
		for rest := data; len(rest) > 0; {
			n, err := s.Write(rest[:min(len(rest), 300_001)])
			if err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	packed := pack(t, 4)
	t.Run("gives what every gzip reads", func(t *testing.T) {
		unpack := exec.Command("gzip", "-dc")
		unpack.Stdin = bytes.NewReader(packed)
		plain, err := unpack.Output()
		if err != nil || !bytes.Equal(plain, data) {
			t.Errorf("gzip gives %d bytes back, %v; want %d", len(plain), err, len(data))
		}
	})
	t.Run("gives the same bytes whatever the number of processors", func(t *testing.T) {
		if !bytes.Equal(pack(t, 1), packed) {
			t.Error("the bytes differ")
		}
	})
	t.Run("says at the end that writing failed", func(t *testing.T) {
		s := newSqueezer(brokenWriter{})
		for range 20 {
			if _, err := s.Write(data); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Close(); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("Close() = %v, want %v", err, syscall.ENOSPC)
		}
	})
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, syscall.ENOSPC }
