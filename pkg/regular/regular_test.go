package regular_test

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/org/promote/pkg/regular"
)

// within fails the test when f takes longer than a read of a small file ever does: what it guards against takes for ever.
func within(t *testing.T, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	select {
	case <-done:
	case <-time.After(30 * time.Second):
		t.Fatal("it is still reading")
	}
}

func TestRead(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	err := errors.Join(
		os.WriteFile(at("file"), []byte("12345678"), 0o644),
		os.Symlink("file", at("link")),
		os.Symlink("/dev/zero", at("endless")),
		os.Symlink("loop", at("loop")),
		syscall.Mkfifo(at("pipe"), 0o644),
		os.Mkdir(at("folder"), 0o755),
	)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		file string
		most int64
		want string
	}{
		"a file":                          {"file", 8, ""},
		"a link to one":                   {"link", 8, ""},
		"a file that is too large":        {"file", 7, "more than 0 KiB"},
		"a link to a device without end":  {"endless", 1 << 20, "it is not a regular file"},
		"a pipe that nobody writes to":    {"pipe", 8, "it is not a regular file"},
		"a folder":                        {"folder", 8, "it is not a regular file"},
		"a link to itself":                {"loop", 8, "too many"},
		"a file that says it is empty":    {"/proc/self/status", 16, "more than 0 KiB"},
		"a file that is not there at all": {"missing", 8, "no such file"},
	} {
		t.Run(name, func(t *testing.T) {
			within(t, func() {
				path := test.file
				if !filepath.IsAbs(path) {
					path = at(path)
				}
				data, err := regular.Read(path, test.most)
				switch {
				case test.want == "" && (err != nil || string(data) != "12345678"):
					t.Errorf("got %q, %v", data, err)
				case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
					t.Errorf("got %q, %v\nwant %s", data, err, test.want)
				case err != nil && strings.Contains(err.Error(), dir):
					t.Errorf("%v names the file, which the caller does", err)
				}
			})
		})
	}
	if _, err := regular.Read(at("missing"), 1); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want what fs.ErrNotExist is", err)
	}
}

func TestAFileThatGrowsIsNotReadForEver(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte("1234"), 0o644); err != nil {
		t.Fatal(err)
	}
	file, err := regular.Open(path, 4)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	if err := os.WriteFile(path, []byte("123456"), 0o644); err != nil {
		t.Fatal(err)
	}
	if data, err := io.ReadAll(file); err == nil {
		t.Errorf("got %q", data)
	}
}

func TestInside(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	err := errors.Join(os.Mkdir(filepath.Join(dir, "a"), 0o755), os.Symlink(outside, filepath.Join(dir, "out")), os.Symlink("a", filepath.Join(dir, "in")))
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]bool{"": true, "a": true, "in": true, "out": false, "..": false, "missing": false} {
		if got := regular.Inside(dir, filepath.Join(dir, path)); got != want {
			t.Errorf("Inside(%q) = %v, want %v", path, got, want)
		}
		if got, want := regular.LeadsOut(dir, filepath.Join(dir, path)), !want && path != "missing"; got != want {
			t.Errorf("LeadsOut(%q) = %v, want %v", path, got, want)
		}
	}
}
