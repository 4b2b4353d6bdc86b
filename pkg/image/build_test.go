package image

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// epoch is any commit's time.
var epoch = time.Unix(1_700_000_000, 0)

// install puts programs on the PATH that are this test binary in the given mode, and nothing else but them.
func install(t *testing.T, mode string, programs ...string) {
	t.Helper()
	bin := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, program := range programs {
		if err := os.Symlink(self, filepath.Join(bin, program)); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", bin)
	t.Setenv(fakeBuilder, mode)
}

// request is a good one: a folder with a Dockerfile.
func request(t *testing.T) BuildRequest {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte("FROM scratch\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return BuildRequest{Context: dir, Epoch: epoch, Out: filepath.Join(t.TempDir(), "layout")}
}

func TestBuild(t *testing.T) {
	t.Run("gives the image the builder wrote", func(t *testing.T) {
		install(t, "ok", "docker")
		req := request(t)
		var log bytes.Buffer
		built, err := Build(t.Context(), req, &log)
		if err != nil {
			t.Fatal(err)
		}
		digest, err := fixedImage().Digest()
		if err != nil {
			t.Fatal(err)
		}
		want := Built{Layout: req.Out, Digest: digest.String(), Builder: "buildx", Size: built.Size}
		if diff := cmp.Diff(want, built); diff != "" {
			t.Errorf("Build (-want +got):\n%s", diff)
		}
		if built.Size == 0 {
			t.Error("the size is 0")
		}
		if want := "there is a Dockerfile, and it is the first that works here: fake builder v1.2.3"; !strings.Contains(log.String(), want) {
			t.Errorf("the log does not say %q:\n%s", want, log.String())
		}
	})
	t.Run("a failed step's name and last lines are in the error", func(t *testing.T) {
		install(t, "fail", "docker")
		req := request(t)
		// The recorded output is read from the builder's working folder, which is the test's.
		_, err := Build(t.Context(), req, io.Discard)
		var failed *BuildError
		if !errors.As(err, &failed) {
			t.Fatalf("Build() = %v, want a BuildError", err)
		}
		if failed.Step == "" || failed.Cause == "" || len(failed.Lines) == 0 {
			t.Errorf("step, cause and lines are to be found in the recorded output: %+v", failed.Failure)
		}
	})
	t.Run("the value of a build secret is in neither arguments, log nor error", func(t *testing.T) {
		install(t, "leak", "docker")
		req := request(t)
		file := filepath.Join(t.TempDir(), "a,b")
		if err := os.WriteFile(file, []byte("hunter2-hunter2\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		req.Secrets = map[string]string{"token": file}
		var log bytes.Buffer
		_, err := Build(t.Context(), req, &log)
		if err == nil || strings.Contains(err.Error()+log.String(), "hunter2") {
			t.Errorf("Build() = %v, log:\n%s", err, log.String())
		}
		if want := `--secret=id=token,"src=` + file + `"`; !strings.Contains(log.String(), want) {
			t.Errorf("the log does not hold %q:\n%s", want, log.String())
		}
		if !strings.Contains(err.Error(), "bad token ***") {
			t.Errorf("Build() = %v, want the redacted cause", err)
		}
	})
	t.Run("a cancelled build interrupts the builder", func(t *testing.T) {
		install(t, "hang", "docker")
		ctx, cancel := context.WithCancelCause(t.Context())
		stopped := errors.New("stopped by a person")
		_, err := Build(ctx, request(t), writerFunc(func(line string) {
			if line == "started\n" {
				cancel(stopped)
			}
		}))
		if !errors.Is(err, stopped) {
			t.Errorf("Build() = %v, want the cause of the cancelling", err)
		}
	})
	t.Run("all that is wrong with a request is said at once", func(t *testing.T) {
		install(t, "ok", "docker")
		req := request(t)
		req.Dockerfile, req.Builder, req.Target = "docker/Dockerfile", "kaniko", "--push"
		req.Args = map[string]string{"A B": "1", "SOURCE_DATE_EPOCH": "0"}
		req.Labels = []string{"no-value"}
		req.Platforms = []string{"linux"}
		req.Secrets = map[string]string{"a,b": "x", "gone": "/does/not/exist"}
		req.Epoch = time.Time{}
		req.Out = req.Context // holds the Dockerfile
		_, err := Build(t.Context(), req, io.Discard)
		if err == nil {
			t.Fatal("Build() passed")
		}
		for _, want := range []string{
			`opening Dockerfile "` + filepath.Join(req.Context, "docker/Dockerfile") + `": no such file or directory`,
			`choosing builder "kaniko": it is not one of: auto, buildx, buildctl, buildah, go, files`,
			`reading target "--push"`, `reading build argument "A B"`, `reading build argument "SOURCE_DATE_EPOCH"`,
			`reading label "no-value"`, `reading platform "linux"`, `reading build secret "a,b"`, `reading build secret "gone"`,
			`time stamps is not set`, `it is not empty`,
		} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("the error does not say %s:\n%v", want, err)
			}
		}
	})
}

func TestChoosingABuilder(t *testing.T) {
	for _, c := range []struct {
		name, asked, want, log string
		programs               []string
	}{
		{"docker's plugin comes first", "auto", "buildx", "docker buildx", []string{"docker", "buildctl"}},
		{"buildx works by itself too", "", "buildx", "buildx", []string{"buildx", "buildctl"}},
		{"without buildx it is buildctl, and the log says why", "auto", "buildctl", `no "docker" on the PATH`, []string{"buildctl"}},
		{"buildah is the last", "auto", "buildah", `builder "buildctl" is not here`, []string{"buildah"}},
		{"what was asked for is taken", "buildctl", "buildctl", "as asked for", []string{"docker", "buildctl"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			install(t, "ok", c.programs...)
			var log bytes.Buffer
			req := request(t)
			req.Builder = c.asked
			got, err := choose(t.Context(), req, &log)
			if err != nil || got.name != c.want || !strings.Contains(log.String(), c.log) {
				t.Errorf("choose() = %q, %v, want %q and %q in the log:\n%s", got.name, err, c.want, c.log, log.String())
			}
		})
	}
	t.Run("a builder that does not work is not taken", func(t *testing.T) {
		install(t, "broken", "docker", "buildctl")
		_, err := choose(t.Context(), request(t), io.Discard)
		for _, want := range []string{`"docker buildx version" does not work`, `builder "buildctl" is not here`, "it needs docker"} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("choose() = %v, want %s in it", err, want)
			}
		}
	})
}

func TestBuilderArguments(t *testing.T) {
	req := BuildRequest{
		Context: "/src", Dockerfile: "/src/docker/app.Dockerfile", Target: "app", Out: "/out",
		Args:      map[string]string{"B": "2", "A": "1"},
		Secrets:   map[string]string{"token": "/run/token"},
		Platforms: []string{"linux/amd64", "linux/arm64"},
		Labels:    []string{"x=y"},
		Epoch:     epoch,
	}
	t.Run("buildx", func(t *testing.T) {
		want := []string{
			"build", "--progress=plain", "--provenance=false", "--sbom=false", "--file=/src/docker/app.Dockerfile",
			"--output=type=oci,dest=/out,tar=false,rewrite-timestamp=true",
			"--build-arg=SOURCE_DATE_EPOCH=1700000000", "--build-arg=A=1", "--build-arg=B=2", "--label=x=y",
			"--secret=id=token,src=/run/token", "--target=app", "--platform=linux/amd64,linux/arm64", "/src",
		}
		if diff := cmp.Diff(want, buildxArgs(req)); diff != "" {
			t.Errorf("arguments (-want +got):\n%s", diff)
		}
	})
	t.Run("buildctl", func(t *testing.T) {
		want := []string{
			"build", "--progress=plain", "--frontend=dockerfile.v0", "--local=context=/src", "--local=dockerfile=/src/docker",
			"--opt=filename=app.Dockerfile", "--output=type=oci,dest=/out,tar=false,rewrite-timestamp=true",
			"--opt=build-arg:SOURCE_DATE_EPOCH=1700000000", "--opt=build-arg:A=1", "--opt=build-arg:B=2", "--opt=label:x=y",
			"--secret=id=token,src=/run/token", "--opt=target=app", "--opt=platform=linux/amd64,linux/arm64",
		}
		if diff := cmp.Diff(want, buildctlArgs(req)); diff != "" {
			t.Errorf("arguments (-want +got):\n%s", diff)
		}
	})
	t.Run("buildah", func(t *testing.T) {
		want := []string{
			"build", "--format=oci", "--isolation=chroot", "--identity-label=false", "--timestamp=1700000000",
			"--file=/src/docker/app.Dockerfile", "--manifest=localhost/x:1", "--layers=false",
			"--build-arg=SOURCE_DATE_EPOCH=1700000000", "--build-arg=A=1", "--build-arg=B=2", "--label=x=y",
			"--secret=id=token,src=/run/token", "--target=app", "--platform=linux/amd64,linux/arm64", "/src",
		}
		if diff := cmp.Diff(want, buildahArgs(req, "localhost/x:1")); diff != "" {
			t.Errorf("arguments (-want +got):\n%s", diff)
		}
	})
	t.Run("a cache is read and written by all of them", func(t *testing.T) {
		req := req
		req.Cache = "127.0.0.1:5000/team/shop:buildcache"
		const to = "type=registry,ref=127.0.0.1:5000/team/shop:buildcache,mode=max,image-manifest=true,oci-mediatypes=true,ignore-error=true"
		for name, c := range map[string]struct{ got, want []string }{
			"buildx":   {buildxArgs(req), []string{"--cache-from=type=registry,ref=" + req.Cache, "--cache-to=" + to}},
			"buildctl": {buildctlArgs(req), []string{"--import-cache=type=registry,ref=" + req.Cache, "--export-cache=" + to}},
			"buildah": {buildahArgs(req, "x"), []string{
				"--layers", "--cache-from=127.0.0.1:5000/team/shop", "--cache-to=127.0.0.1:5000/team/shop", "--tls-verify=false",
			}},
		} {
			if line := strings.Join(c.got, " "); !strings.Contains(line, strings.Join(c.want, " ")) {
				t.Errorf("%s gets %s, want %q in it", name, line, c.want)
			}
		}
	})
}

func TestBuildah(t *testing.T) {
	install(t, "ok", "buildah")
	notes := filepath.Join(t.TempDir(), "notes")
	t.Setenv(fakeBuilderNotes, notes)
	t.Setenv("DOCKER_CONFIG", t.TempDir()) // without a login, which the push to a folder must not miss
	req := request(t)
	var log bytes.Buffer
	built, err := Build(t.Context(), req, &log)
	if err != nil || built.Builder != "buildah" {
		t.Fatalf("Build() = %+v, %v", built, err)
	}
	_, rest, _ := strings.Cut(log.String(), "--tag=")
	image, _, _ := strings.Cut(rest, " ")
	if want := "args: push " + image + " oci:" + req.Out; !strings.Contains(log.String(), want) {
		t.Errorf("the log does not hold %q:\n%s", want, log.String())
	}
	if got, want := readFile(notes), "removed "+image+"\n"; got != want {
		t.Errorf("after the build %q, want %q: the image stays in buildah's store", got, want)
	}
}

// writerFunc gives each line to a function.
type writerFunc func(line string)

func (f writerFunc) Write(p []byte) (int, error) {
	f(string(p))
	return len(p), nil
}
