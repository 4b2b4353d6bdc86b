package sbom

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/org/promote/pkg/contents"
)

const repository = "registry.example/team/checkout"

// image makes an image with a layer for each map of files.
func image(t testing.TB, layers ...map[string]string) contents.Image {
	t.Helper()
	img := contents.Image{
		Digest: "sha256:" + strings.Repeat("ab", 32), Platform: "linux/arm64/v8", Created: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
	}
	for i, content := range layers {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		for _, name := range slices.Sorted(maps.Keys(content)) {
			if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(content[name])), Typeflag: tar.TypeReg}); err != nil {
				t.Fatal(err)
			}
			if _, err := io.WriteString(w, content[name]); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		img.Layers = append(img.Layers, contents.Layer{
			Digest: fmt.Sprintf("sha256:%d", i), Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil },
		})
	}
	return img
}

func bill(t testing.TB, img contents.Image) []byte {
	t.Helper()
	made, err := Make(t.Context(), img, repository, contents.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// document is what tests want to know of a bill of materials.
type document struct {
	SerialNumber string
	Metadata     struct {
		Timestamp string
		Component struct{ Name, Version, Purl string }
	}
	Components []struct {
		Type, Purl string
		Evidence   struct{ Occurrences []struct{ Location string } }
	}
	Dependencies []struct {
		Ref       string
		DependsOn []string
	}
}

func read(t testing.TB, data []byte) document {
	t.Helper()
	var d document
	if err := json.Unmarshal(data, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// listed gives each component as "purl in file, file".
func (d document) listed() []string {
	var all []string
	for _, c := range d.Components {
		var places []string
		for _, o := range c.Evidence.Occurrences {
			places = append(places, o.Location)
		}
		all = append(all, c.Purl+" in "+strings.Join(places, ", "))
	}
	return all
}

// everything is an image that has all that is read, and more that looks like it.
func everything(t testing.TB) contents.Image {
	t.Helper()
	return image(t, map[string]string{
		"etc/os-release":     "ID=debian\nVERSION_ID=\"12\"\n",
		"usr/lib/os-release": "ID=other\n", // the one in /etc wins
		"var/lib/dpkg/status": "Package: libc6\nStatus: install ok installed\nArchitecture: arm64\nSource: glibc (2.36-9)\nVersion: 2.36-9+deb12u4\nDescription: C\n more: of it\n\n" +
			"Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n\nPackage: zlib1g\nStatus: install ok installed\nArchitecture: arm64\nSource: zlib\nVersion: 1:1.2.13.dfsg-1\n",
		"var/lib/dpkg/status.d/tzdata":         "Package: tzdata\nVersion: 2024a-0+deb12u1\nArchitecture: all\n",
		"var/lib/dpkg/status.d/tzdata.md5sums": "d41d8cd98f00b204e9800998ecf8427e  usr/share/zoneinfo/UTC\n",
		"lib/apk/db/installed":                 "C:Q1x\nP:musl\nV:1.2.5-r0\nA:aarch64\no:musl\nF:lib\n\nP:libcrypto3\nV:3.3.1-r0\nA:aarch64\no:openssl\n",
	}, map[string]string{
		"usr/lib/python3/site-packages/Zope.Interface-6.1.dist-info/METADATA": "Metadata-Version: 2.1\r\nName: Zope.Interface\r\nVersion: 6.1\r\n\r\nVersion: 9\r\n",
		"usr/lib/python3/site-packages/six-1.16.0.egg-info/PKG-INFO":          "Name: six\nVersion: 1.16.0\n",
		"app/node_modules/@team/client/package.json":                          `{"name":"@team/client","version":"2.0.0"}`,
		"app/node_modules/left-pad/package.json":                              `{"name":"left-pad","version":"1.3.0"}`,
		"srv/node_modules/left-pad/package.json":                              `{"name":"left-pad","version":"1.3.0"}`,
		"app/node_modules/left-pad/dist/package.json":                         `{"name":"inner","version":"0.0.1"}`,
		"app/node_modules/typed/esm/package.json":                             `{"type":"module"}`,
		"app/package.json": `{"name":"checkout","version":"1.0.0"}`,
		"app/script.sh":    "#!/bin/sh\n",
		"app/tiny":         "\x7fE",
		"app/broken":       "\x7fELF" + strings.Repeat("\xff", 300),
	})
}

func TestPackagesOfEveryManagerAreListedWithTheirFiles(t *testing.T) {
	want := []string{
		"pkg:apk/debian/libcrypto3@3.3.1-r0?arch=aarch64&distro=debian-12&upstream=openssl in /lib/apk/db/installed",
		"pkg:apk/debian/musl@1.2.5-r0?arch=aarch64&distro=debian-12 in /lib/apk/db/installed",
		"pkg:deb/debian/libc6@2.36-9%2Bdeb12u4?arch=arm64&distro=debian-12&upstream=glibc in /var/lib/dpkg/status",
		"pkg:deb/debian/tzdata@2024a-0%2Bdeb12u1?arch=all&distro=debian-12 in /var/lib/dpkg/status.d/tzdata",
		"pkg:deb/debian/zlib1g@1:1.2.13.dfsg-1?arch=arm64&distro=debian-12&upstream=zlib in /var/lib/dpkg/status",
		"pkg:npm/%40team/client@2.0.0 in /app/node_modules/@team/client/package.json",
		"pkg:npm/left-pad@1.3.0 in /app/node_modules/left-pad/package.json, /srv/node_modules/left-pad/package.json",
		"pkg:pypi/six@1.16.0 in /usr/lib/python3/site-packages/six-1.16.0.egg-info/PKG-INFO",
		"pkg:pypi/zope-interface@6.1 in /usr/lib/python3/site-packages/Zope.Interface-6.1.dist-info/METADATA",
	}
	d := read(t, bill(t, everything(t)))
	if diff := cmp.Diff(want, d.listed()); diff != "" {
		t.Errorf("components (-want +got):\n%s", diff)
	}
	purl := "pkg:oci/checkout@sha256:" + strings.Repeat("ab", 32) + "?arch=arm64&repository_url=registry.example%2Fteam%2Fcheckout"
	if c := d.Metadata.Component; c.Name != repository || c.Version != "sha256:"+strings.Repeat("ab", 32) || c.Purl != purl {
		t.Errorf("the bill is of %+v, want purl %s", c, purl)
	}
	if d.Metadata.Timestamp != "2026-01-02T03:04:05Z" {
		t.Errorf("its time is %s, want that of the image", d.Metadata.Timestamp)
	}
}

// goProgram is a program of this repository with a module in it that is not the standard library's. A test's own program does not
// say what it is linked with.
func goProgram(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "program")
	build := exec.Command("go", "build", "-buildvcs=false", "-o", path, "github.com/org/promote/internal/actiondoc")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building a program: %v\n%s", err, out)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestAGoProgramListsItsModules(t *testing.T) {
	d := read(t, bill(t, image(t, map[string]string{"checkout": goProgram(t)})))
	listed := strings.Join(d.listed(), "\n")
	for _, want := range []string{"pkg:golang/github.com/org/promote", "pkg:golang/sigs.k8s.io/kustomize/kyaml@v0.21.2 in /checkout", "pkg:golang/stdlib@1."} {
		if !strings.Contains(listed, want) {
			t.Errorf("%s is missing in:\n%s", want, listed)
		}
	}
	depends := map[string][]string{}
	for _, l := range d.Dependencies {
		depends[l.Ref] = l.DependsOn
	}
	programs := depends[d.Metadata.Component.Purl]
	if len(programs) != 1 || !strings.HasPrefix(programs[0], "pkg:golang/github.com/org/promote") {
		t.Fatalf("the image depends on %v, want the program alone", programs)
	}
	if len(depends[programs[0]]) != len(d.Components)-1 {
		t.Errorf("the program depends on %d of %d components", len(depends[programs[0]]), len(d.Components)-1)
	}
}

func TestAReplacedModuleIsTheOneThatWasLinked(t *testing.T) {
	got := modulesOf(&debug.BuildInfo{
		GoVersion: "go1.26.8 X:jsonv2", Main: debug.Module{Path: "shop.example/checkout", Version: "(devel)"},
		Deps: []*debug.Module{
			{Path: "a.example/a", Version: "v1.0.0", Replace: &debug.Module{Path: "fork.example/a", Version: "v1.0.1"}},
			{Path: "b.example/b", Version: "v2.0.0", Replace: &debug.Module{Path: "../b"}},
		},
	})
	want := []pkg{
		{kind: "golang", name: "shop.example/checkout", application: true}, {kind: "golang", name: "stdlib", version: "1.26.8"},
		{kind: "golang", name: "fork.example/a", version: "v1.0.1"}, {kind: "golang", name: "b.example/b", version: "v2.0.0"},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(pkg{})); diff != "" {
		t.Errorf("packages (-want +got):\n%s", diff)
	}
}

func TestWhatALaterLayerRemovesIsNotListed(t *testing.T) {
	base := map[string]string{
		"a/node_modules/x/package.json": `{"name":"x","version":"1.0.0"}`, "b/node_modules/y/package.json": `{"name":"y","version":"1.0.0"}`,
		"c/node_modules/z/package.json": `{"name":"z","version":"1.0.0"}`, "d/node_modules/w/package.json": `{"name":"w","version":"1.0.0"}`,
	}
	d := read(t, bill(t, image(t, base, map[string]string{
		"a/.wh.node_modules": "", "b/.wh..wh..opq": "", "c/node_modules/z/package.json": `{"name":"z","version":"2.0.0"}`,
	})))
	want := []string{"pkg:npm/w@1.0.0 in /d/node_modules/w/package.json", "pkg:npm/z@2.0.0 in /c/node_modules/z/package.json"}
	if diff := cmp.Diff(want, d.listed()); diff != "" {
		t.Errorf("components (-want +got):\n%s", diff)
	}
}

func TestTheSameImageGivesTheSameBytes(t *testing.T) {
	first := bill(t, everything(t))
	for range 5 {
		if again := bill(t, everything(t)); !bytes.Equal(first, again) {
			t.Fatalf("two bills of one image differ:\n%s", cmp.Diff(string(first), string(again)))
		}
	}
	other := everything(t)
	other.Digest = "sha256:" + strings.Repeat("cd", 32)
	if read(t, bill(t, other)).SerialNumber == read(t, first).SerialNumber {
		t.Error("two images have one serial number")
	}
}

func TestNoTemporaryFileIsLeft(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	bill(t, everything(t))
	left, err := os.ReadDir(os.TempDir())
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// schema is CycloneDX's own, which its Go module ships.
func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/CycloneDX/cyclonedx-go").Output()
	if err != nil {
		t.Fatalf("finding the schema: %v", err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	const base = "http://cyclonedx.org/schema/"
	for name, file := range map[string]string{
		"bom-1.6.schema.json": "bom-1.6.schema.json", "spdx.schema.json": "spdx.schema.json", "jsf-0.82.schema.json": "jsf-0.82.schemax.json",
	} {
		data, err := os.Open(filepath.Join(strings.TrimSpace(string(out)), "schema", file))
		if err != nil {
			t.Fatal(err)
		}
		defer data.Close()
		document, err := jsonschema.UnmarshalJSON(data)
		if err != nil {
			t.Fatal(err)
		}
		if err := compiler.AddResource(base+name, document); err != nil {
			t.Fatal(err)
		}
	}
	compiled, err := compiler.Compile(base + "bom-1.6.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

func released(t *testing.T) []byte {
	t.Helper()
	file := strings.NewReader(goProgram(t))
	data, err := OfPrograms("shop", "v1.2.3", time.Unix(1, 0), []Program{{Name: "checkout_linux", Digest: "sha256:1", File: file}, {Name: "checkout_plan9", Digest: "sha256:2", File: file}})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestReleasedProgramsListTheirModulesWithTheFiles(t *testing.T) {
	data := string(released(t))
	for _, want := range []string{`"bom-ref":"shop@v1.2.3"`, `"pkg:golang/stdlib@`, `{"location":"checkout_linux"},{"location":"checkout_plan9"}`, `"timestamp":"1970-01-01T00:00:01Z"`} {
		if !strings.Contains(data, want) {
			t.Errorf("the bill does not say %s:\n%s", want, data)
		}
	}
	if _, err := OfPrograms("shop", "v1.2.3", time.Unix(1, 0), []Program{{Name: "script", File: strings.NewReader("#!/bin/sh")}}); err == nil || !strings.Contains(err.Error(), "script") {
		t.Errorf("a script was taken for a program: %v", err)
	}
}

func TestBillsFollowTheSchemaOfCycloneDX(t *testing.T) {
	compiled := schema(t)
	bills := map[string][]byte{
		"everything": bill(t, everything(t)), "a Go program": bill(t, image(t, map[string]string{"checkout": goProgram(t)})),
		"nothing": bill(t, image(t, map[string]string{"etc/passwd": "root"})), "released programs": released(t),
	}
	for name, data := range bills {
		document, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		if err := compiled.Validate(document); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	broken := bytes.Replace(bills["nothing"], []byte(`"type":"container"`), []byte(`"type":"barrel"`), 1)
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(broken))
	if err != nil {
		t.Fatal(err)
	}
	if compiled.Validate(document) == nil {
		t.Errorf("the schema takes a barrel; it would take anything:\n%s", broken)
	}
}

// FuzzRecords gives any bytes to every reader.
func FuzzRecords(f *testing.F) {
	paths := []string{
		"/var/lib/dpkg/status", "/lib/apk/db/installed", "/etc/os-release", "/x.dist-info/METADATA", "/node_modules/x/package.json", "/program",
	}
	for i, text := range []string{"Package: a\nVersion: 1\n", "P:a\nV:1\n", "ID=x\n", "Name: a\nVersion: 1\n", `{"name":"@a/b","version":"1"}`, "\x7fELF\x02\x01"} {
		f.Add(uint8(i), []byte(text))
	}
	f.Fuzz(func(t *testing.T, which uint8, data []byte) {
		c := NewCollector()
		defer c.Close()
		sink := c.Visit(contents.Entry{Path: paths[int(which)%len(paths)], Size: 1})
		if _, err := sink.Write(data); err != nil {
			t.Fatal(err)
		}
		if err := sink.Close(); err != nil {
			t.Fatal(err)
		}
		made, err := c.Predicate(contents.Image{Digest: "sha256:1"}, repository)
		if err != nil || !json.Valid(made) {
			t.Errorf("%v: %s", err, made)
		}
	})
}
