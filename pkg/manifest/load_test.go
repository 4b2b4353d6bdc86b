package manifest

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func write(t *testing.T, folder string, nameAndText ...string) {
	t.Helper()
	for i := 0; i < len(nameAndText); i += 2 {
		path := filepath.Join(folder, nameAndText[i])
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(nameAndText[i+1]), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestLoad(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, ".", "deploy/b.yml", "b", "deploy/a.yaml", "a", "deploy/sub/_h.tpl", "h", "deploy/README.md", "no", "deploy/.hidden.yaml", "no",
		"deploy/.git/x.yaml", "no", "odd.txt", "odd")
	if err := os.Symlink("a.yaml", "deploy/link.yaml"); err != nil {
		t.Fatal(err)
	}
	t.Run("reads the templates of a folder in order", func(t *testing.T) {
		loaded, err := Load("deploy")
		if err != nil {
			t.Fatal(err)
		}
		want := files("deploy/a.yaml", "a", "deploy/b.yml", "b", "deploy/link.yaml", "a", "deploy/sub/_h.tpl", "h")
		if diff := cmp.Diff(want, loaded); diff != "" {
			t.Errorf("the files differ (-want +got):\n%s", diff)
		}
	})
	t.Run("reads one file, whatever its name", func(t *testing.T) {
		loaded, err := Load("odd.txt")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(files("odd.txt", "odd"), loaded); diff != "" {
			t.Errorf("the files differ (-want +got):\n%s", diff)
		}
	})
}

func TestWithinNamesFilesAsThoseWhoKnowTheFolder(t *testing.T) {
	got := Within("/work/checkout", files("/work/checkout/deploy/a.yaml", "a", "/elsewhere/b.yaml", "b", "/work/checkout/../c.yaml", "c", "d.yaml", "d"))
	want := files("deploy/a.yaml", "a", "/elsewhere/b.yaml", "b", "/work/checkout/../c.yaml", "c", "d.yaml", "d")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the files differ (-want +got):\n%s", diff)
	}
}

func TestLoadRefuses(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, ".", "outside.yaml", "key: hunter2", "empty/README.md", "", "big/a.yaml", "", "links/a.yaml", "", "pipe/a.yaml", "")
	for path, target := range map[string]string{"links/b.yaml": "../outside.yaml", "links/c.yaml": "/etc/hostname", "links/d.yaml": "gone"} {
		if err := os.Symlink(target, path); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile("big/a.yaml", bytes.Repeat([]byte("x"), maxFile+1), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo("pipe/b.yaml", 0o644); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string][]string{
		"gone":         {`loading manifests from "gone": no such file or directory`},
		"empty":        {`"empty"`, "no *.yaml, *.yml or *.tpl file"},
		"big":          {`loading manifest "big/a.yaml": it is larger than 4 MiB`},
		"pipe":         {`loading manifest "pipe/b.yaml": it is not a regular file`},
		"links":        {`"links/b.yaml": path escapes from parent`, `"links/c.yaml": path escapes`, `"links/d.yaml": no such file`},
		"/dev/zero":    {`"/dev/zero": it is not a regular file`},
		"links/b.yaml": {`"links/b.yaml": path escapes from parent`},
	} {
		t.Run(path, func(t *testing.T) {
			_, err := Load(path)
			wantError(t, err, want...)
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error holds the file's text: %v", err)
			}
		})
	}
}

func TestParseValues(t *testing.T) {
	base := t.TempDir()
	write(t, base, "in/values.yaml", "replicas: 1000000\nshare: 0.5\non: yes\nnested: {a: [1, b]}", "in/list.yaml", "- a", "in/empty.yaml", "# nothing",
		"outside.yaml", "a: b", "in/broken.yaml", "a: b\na: c")
	base = filepath.Join(base, "in")
	fromFile := map[string]any{"replicas": int64(1000000), "share": 0.5, "true": true, "nested": map[string]any{"a": []any{int64(1), "b"}}}
	for name, c := range map[string]struct {
		text string
		want map[string]any
	}{
		"no text":           {" \n", map[string]any{}},
		"only a comment":    {"# nothing", map[string]any{}},
		"a mapping":         {"replicas: 3\nname: x", map[string]any{"replicas": int64(3), "name": "x"}},
		"JSON":              {`{"a": {"b": [true]}}`, map[string]any{"a": map[string]any{"b": []any{true}}}},
		"a file":            {"values.yaml", fromFile},
		"an absolute path":  {filepath.Join(base, "values.yaml"), fromFile},
		"a file of nothing": {"empty.yaml\n", map[string]any{}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := ParseValues(c.text, base)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("the values differ (-want +got):\n%s", diff)
			}
		})
	}
	for name, c := range map[string]struct{ text, want string }{
		"a list":                  {"- a", "they must be a YAML mapping"},
		"text of several lines":   {"a\nb", "they must be a YAML mapping"},
		"a number":                {"5", "they must be a YAML mapping"},
		"broken YAML":             {"a: b: c", "mapping values are not allowed"},
		"a key twice":             {"a: 1\na: 2", `key "a" already set`},
		"a missing file":          {"gone.yaml", `reading values file "gone.yaml": no such file`},
		"a file outside":          {"../outside.yaml", `reading values file "../outside.yaml": path escapes`},
		"an absolute one outside": {"/etc/hostname", `reading values file "/etc/hostname": path escapes`},
		"a file of a list":        {"list.yaml", `parsing values file "list.yaml": it must hold a YAML mapping`},
		"a broken file":           {"broken.yaml", `parsing values file "broken.yaml"`},
		"a folder":                {".", `reading values file ".": it is not a regular file`},
	} {
		t.Run("refuses "+name, func(t *testing.T) {
			_, err := ParseValues(c.text, base)
			wantError(t, err, c.want)
		})
	}
}
