//go:build lab

package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/org/promote/lab/github"
)

// running is an action that is at work.
type running struct {
	s      *scene
	cmd    *exec.Cmd
	finish func() result
	ended  chan error
}

func (s *scene) start(action string, event github.Event, inputs map[string]string) *running {
	s.t.Helper()
	r := &running{s: s, ended: make(chan error, 1)}
	r.cmd, r.finish = s.h.command(action, event, s.inputs(inputs), s.runner())
	s.h.must(r.cmd.Start())
	go func() { r.ended <- r.cmd.Wait() }()
	s.t.Cleanup(func() { _ = r.cmd.Process.Kill() })
	return r
}

// await waits for a condition that shows how far the action is; one that ends before that has failed.
func (r *running) await(what string, is func() bool) {
	r.s.t.Helper()
	r.s.await(what, func() bool {
		select {
		case err := <-r.ended:
			r.s.t.Fatalf("the action ended with %v before %s:\n%s", err, what, r.finish().output)
		default:
		}
		return is()
	})
}

// end waits for the action's own end.
func (r *running) end() result {
	r.s.t.Helper()
	select {
	case <-r.ended:
	case <-time.After(time.Minute):
		r.s.t.Fatal("the action has not ended within a minute")
	}
	res := r.finish()
	res.code = r.cmd.ProcessState.ExitCode()
	return res
}

func (s *scene) await(what string, is func() bool) {
	s.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.t.Fatalf("30 s went by before %s", what)
		}
	}
}

// hold is a test command that ends when it is let go.
type hold struct {
	t       *testing.T
	at, let string
}

func newHold(t *testing.T) hold {
	dir := t.TempDir()
	return hold{t: t, at: filepath.Join(dir, "at"), let: filepath.Join(dir, "let")}
}

func (h hold) command() string {
	return fmt.Sprintf("touch '%s'; until test -e '%s'; do sleep 0.02; done", h.at, h.let)
}

func (h hold) reached() bool {
	_, err := os.Stat(h.at)
	return err == nil
}

func (h hold) release() {
	h.t.Helper()
	if err := os.WriteFile(h.let, nil, 0o600); err != nil {
		h.t.Fatal(err)
	}
}

// monitor is a Prometheus that tells the releases apart, and has seen too little of the candidate until it is told.
type monitor struct {
	url      string
	baseline atomic.Pointer[string]
	enough   atomic.Bool
	// bad is how many of the candidate's requests failed.
	bad atomic.Int64
	// asked is how often it was asked.
	asked atomic.Int64
}

func newMonitor(t *testing.T) *monitor {
	t.Helper()
	m := &monitor{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		query, value := r.FormValue("query"), 10
		m.asked.Add(1)
		baseline := m.baseline.Load()
		switch {
		case r.URL.Path != "/api/v1/query" || baseline == nil:
			http.Error(w, "not asked for in this test", http.StatusNotFound)
			return
		case strings.Contains(query, "bad_total") && !strings.Contains(query, *baseline):
			value = int(m.bad.Load())
		case strings.Contains(query, "bad_total"):
			value = 0
		case strings.Contains(query, *baseline):
			value = 1000
		case m.enough.Load():
			value = 400
		}
		fmt.Fprintf(w, `{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[%d,"%d"]}]}}`, time.Now().Unix(), value)
	}))
	t.Cleanup(server.Close)
	m.url = server.URL
	return m
}

func (m *monitor) checks() string {
	return `- name: errors
  type: ratio
  bad: sum(increase(bad_total{namespace="$namespace",release="$release"}[$window]))
  total: sum(increase(all_total{namespace="$namespace",release="$release"}[$window]))
  max: 0.5
`
}
