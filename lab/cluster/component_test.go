package cluster

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
)

// newLab is a lab in a folder of its own; it is never brought up as a whole.
func newLab(t *testing.T) (*Lab, *bytes.Buffer) {
	t.Helper()
	var out bytes.Buffer
	l := &Lab{dir: t.TempDir(), cache: t.TempDir(), program: os.Args[0], out: &out}
	for _, dir := range []string{"run", "log", "tmp", "bin", "config"} {
		if err := os.MkdirAll(l.path(dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return l, &out
}

// sleeper is a component that serves as soon as it has written a file.
func sleeper(l *Lab, argument string) component {
	return component{
		name: "sleeper", path: "/bin/sh", args: []string{"-c", "echo up > " + l.path("run", "served") + "; exec sleep 300", argument},
		ready: func(context.Context) error {
			if !exists(l.path("run", "served")) {
				return errors.New("not yet")
			}
			return nil
		},
	}
}

func TestStart(t *testing.T) {
	ctx := context.Background()
	end := func(t *testing.T, l *Lab) {
		t.Cleanup(func() {
			if p, ok := l.recorded("sleeper"); ok {
				p.kill(ctx, syscall.SIGKILL, 0)
			}
		})
	}
	t.Run("starts once and finds it running the second time", func(t *testing.T) {
		l, _ := newLab(t)
		end(t, l)
		if did, err := l.start(ctx, sleeper(l, "a")); err != nil || !did {
			t.Fatalf("got %v, %v", did, err)
		}
		first, _ := l.recorded("sleeper")
		if did, err := l.start(ctx, sleeper(l, "a")); err != nil || did {
			t.Fatalf("got %v, %v, want it left alone", did, err)
		}
		if second, _ := l.recorded("sleeper"); second != first {
			t.Errorf("process %v became %v", first, second)
		}
	})
	t.Run("starts again what was killed", func(t *testing.T) {
		l, _ := newLab(t)
		end(t, l)
		if _, err := l.start(ctx, sleeper(l, "a")); err != nil {
			t.Fatal(err)
		}
		first, _ := l.recorded("sleeper")
		if err := first.kill(ctx, syscall.SIGKILL, 0); err != nil {
			t.Fatal(err)
		}
		if did, err := l.start(ctx, sleeper(l, "a")); err != nil || !did {
			t.Fatalf("got %v, %v", did, err)
		}
	})
	t.Run("has another spec when arguments or configuration change", func(t *testing.T) {
		l, _ := newLab(t)
		specs := map[string]bool{}
		add := func(c component) {
			spec, err := l.spec(c)
			if err != nil {
				t.Fatal(err)
			}
			specs[spec] = true
		}
		file := l.path("config", "x.yaml")
		for _, text := range []string{"one", "two"} {
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			add(component{path: "/bin/sh", args: []string{"--config=" + file}})
			add(component{path: "/bin/sh", args: []string{"--config", file}})
		}
		add(component{path: "/bin/sh", args: []string{"--other"}})
		if len(specs) != 5 {
			t.Errorf("got %d specs, want 5", len(specs))
		}
	})
	t.Run("says what a component that ends at once had to say", func(t *testing.T) {
		l, _ := newLab(t)
		c := component{name: "broken", path: "/bin/sh", args: []string{"-c", "echo cannot read my file; exit 3"}, ready: func(context.Context) error { return errors.New("no") }}
		_, err := l.start(ctx, c)
		if err == nil || !strings.Contains(err.Error(), "exit status 3") || !strings.Contains(err.Error(), "cannot read my file") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("names the process that holds its port", func(t *testing.T) {
		l, _ := newLab(t)
		other, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer other.Close()
		c := sleeper(l, "a")
		c.ports = []string{other.Addr().String()}
		_, err = l.start(ctx, c)
		if err == nil || !strings.Contains(err.Error(), other.Addr().String()) || !strings.Contains(err.Error(), "(cluster.test)") {
			t.Errorf("got %v", err)
		}
	})
}

func TestRunTasks(t *testing.T) {
	ctx := context.Background()
	t.Run("runs a task behind those it comes after", func(t *testing.T) {
		l, _ := newLab(t)
		var order []string
		step := func(name string) func(context.Context) (bool, error) {
			return func(context.Context) (bool, error) { order = append(order, name); return true, nil }
		}
		started, err := l.runTasks(ctx, []task{
			{name: "c", after: []string{"b"}, run: step("c")}, {name: "b", after: []string{"a"}, run: step("b")}, {name: "a", run: step("a")},
		})
		if err != nil || started != 3 || strings.Join(order, "") != "abc" {
			t.Errorf("got %d, %v, %v", started, err, order)
		}
	})
	t.Run("reports every failure and skips only what comes after one", func(t *testing.T) {
		l, _ := newLab(t)
		ran := false
		_, err := l.runTasks(ctx, []task{
			{name: "a", run: func(context.Context) (bool, error) { return false, errors.New("a broke") }},
			{name: "b", run: func(context.Context) (bool, error) { return false, errors.New("b broke") }},
			{name: "after a", after: []string{"a"}, run: func(context.Context) (bool, error) { t.Error("it ran"); return false, nil }},
			{name: "c", run: func(context.Context) (bool, error) { ran = true; return false, nil }},
		})
		if err == nil || err.Error() != "a broke\nb broke" || !ran {
			t.Errorf("got %v, ran %v", err, ran)
		}
	})
	t.Run("refuses a forerunner that does not exist", func(t *testing.T) {
		l, _ := newLab(t)
		if _, err := l.runTasks(ctx, []task{{name: "a", after: []string{"z"}}}); err == nil {
			t.Error("it was accepted")
		}
	})
	t.Run("the lab's own tasks are in an order that exists", func(t *testing.T) {
		l, _ := newLab(t)
		tasks := l.tasks()
		for i := range tasks {
			tasks[i].run = func(context.Context) (bool, error) { return true, nil }
		}
		if n, err := l.runTasks(ctx, tasks); err != nil || n != len(tasks) {
			t.Errorf("ran %d of %d: %v", n, len(tasks), err)
		}
	})
}

func TestOwns(t *testing.T) {
	l := &Lab{dir: "/var/lib/x"}
	for name, tc := range map[string]struct {
		args []string
		want bool
	}{
		"a program out of its folder":               {[]string{"/var/lib/x/bin/kubelet", "--config=y"}, true},
		"a shim of its containerd":                  {[]string{"/usr/bin/containerd-shim-runc-v2", "-namespace", "k8s.io", "-address", "/var/lib/x/run/containerd.sock"}, true},
		"a shim of another containerd":              {[]string{"/usr/bin/containerd-shim-runc-v2", "-namespace", "k8s.io", "-address", "/run/containerd/containerd.sock"}, false},
		"its etcd":                                  {[]string{"/usr/bin/etcd", "--data-dir=/var/lib/x/etcd"}, true},
		"another etcd":                              {[]string{"/usr/bin/etcd", "--data-dir=/var/lib/etcd"}, false},
		"a person who reads a log":                  {[]string{"tail", "-f", "/var/lib/x/log/etcd.log"}, false},
		"a program of a folder that begins alike":   {[]string{"/var/lib/x/bingo/kubelet"}, false},
		"another lab, whose name goes on from ours": {[]string{"/usr/bin/etcd", "--data-dir=/var/lib/xy/etcd"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := l.owns(tc.args); got != tc.want {
				t.Errorf("got %v", got)
			}
		})
	}
}
