package world

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func full(dir string) World {
	return World{
		StateDir: dir, Registry: "127.0.0.1:1", BuildkitHost: "unix:///b.sock", PrometheusURL: "http://127.0.0.1:2",
		DockerConfig: "/d", ActPath: "/bin dir/act", BinDir: "/bin dir's", AdminKubeconfig: "/admin",
		Kubeconfig: map[string]string{"test": "/t", "stage": "/s", "prod": "/p"},
	}
}

func TestLoad(t *testing.T) {
	t.Run("reads back what was saved", func(t *testing.T) {
		w := full(t.TempDir())
		if err := w.Save(); err != nil {
			t.Fatal(err)
		}
		got, err := Load(w.StateDir)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(w, got); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("says what to run when no lab is up", func(t *testing.T) {
		if _, err := Load(t.TempDir()); err == nil || !strings.Contains(err.Error(), "make lab-up") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("names every part that is missing", func(t *testing.T) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, fileName), []byte(`{"stateDir":"x","registry":"y"}`), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Load(dir)
		for _, want := range []string{"buildkitHost", "actPath", "kubeconfig.prod"} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want it to name %s", err, want)
			}
		}
	})
}

func TestShell(t *testing.T) {
	t.Run("survives sourcing, blanks and quotes included", func(t *testing.T) {
		w := full(t.TempDir())
		if err := w.Save(); err != nil {
			t.Fatal(err)
		}
		script := `. "$1/env" && printf '%s|%s|%s' "$KUBECONFIG" "$PROMOTE_LAB_KUBECONFIG_STAGE" "${PATH%%:*}"`
		out, err := exec.Command("sh", "-c", script, "sh", w.StateDir).Output()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff("/admin|/s|/bin dir's", string(out)); diff != "" {
			t.Error(diff)
		}
	})
}
