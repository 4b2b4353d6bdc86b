package command

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// run runs a line in a folder of its own.
func run(ctx context.Context, t *testing.T, line string, timeout time.Duration) (Ended, string, string, error) {
	t.Helper()
	dir := t.TempDir()
	var out strings.Builder
	mark := "MARK=" + dir
	ended, err := Run(ctx, Command{
		Line: line, Dir: dir, Environ: []string{"PATH=" + os.Getenv("PATH"), mark}, Timeout: timeout, Grace: 200 * time.Millisecond, Mark: mark,
	}, &out, &out)
	return ended, out.String(), dir, err
}

// gone waits until the process whose id stands in a file is no more.
func gone(t *testing.T, file string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	for until := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		// One that nobody waits for stays as a zombie where no init takes it.
		stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		if err != nil || strings.Contains(string(stat), ") Z ") {
			return
		}
		if time.Now().After(until) {
			t.Fatalf("process %d still runs: %s", pid, stat)
		}
	}
}

func TestRun(t *testing.T) {
	t.Run("a command's exit code is its own, also in a pipe", func(t *testing.T) {
		ended, _, _, err := run(t.Context(), t, "(exit 7) | cat", time.Minute)
		if err != nil || ended.Code != 7 || ended.TimedOut || len(ended.Left) > 0 {
			t.Errorf("got %+v, %v", ended, err)
		}
	})
	t.Run("a command that passes and leaves a process on its output passes, and the process is named and ended", func(t *testing.T) {
		ended, out, dir, err := run(t.Context(), t, "sleep 300 & echo $! >pid; echo done", time.Minute)
		if err != nil || ended.Code != 0 || len(ended.Left) != 1 || !strings.HasPrefix(ended.Left[0], "sleep (") || out != "done\n" {
			t.Errorf("got %+v, %q, %v", ended, out, err)
		}
		gone(t, filepath.Join(dir, "pid"))
	})
	t.Run("also a process that does not hold the output", func(t *testing.T) {
		ended, _, dir, err := run(t.Context(), t, "sleep 300 >/dev/null 2>&1 & echo $! >pid", time.Minute)
		if err != nil || ended.Code != 0 || len(ended.Left) != 1 {
			t.Errorf("got %+v, %v", ended, err)
		}
		gone(t, filepath.Join(dir, "pid"))
	})
	t.Run("what ends by itself right afterwards is not left", func(t *testing.T) {
		ended, out, _, err := run(t.Context(), t, "echo text > >(sleep 0.1; cat)", time.Minute)
		if err != nil || ended.Code != 0 || len(ended.Left) > 0 || out != "text\n" {
			t.Errorf("got %+v, %q, %v", ended, out, err)
		}
	})
	t.Run("a process that left the group and holds the output does not hold the run", func(t *testing.T) {
		began := time.Now()
		ended, _, dir, err := run(t.Context(), t, "setsid sleep 300 & echo $! >pid", time.Minute)
		if err != nil || ended.Code != 0 || len(ended.Left) != 1 || !strings.Contains(ended.Left[0], "outside of its group") || time.Since(began) > 10*time.Second {
			t.Errorf("after %s: %+v, %v", time.Since(began), ended, err)
		}
		endEscaped("MARK=" + dir)
		gone(t, filepath.Join(dir, "pid"))
	})
	t.Run("out of time, all that was started is ended, however deaf it is", func(t *testing.T) {
		ended, _, dir, err := run(t.Context(), t, `trap "" TERM; (setsid bash -c 'echo $$ >escaped; exec sleep 300') & sleep 300 & echo $! >pid; wait; wait`, 300*time.Millisecond)
		if err != nil || !ended.TimedOut || ended.Code != 124 {
			t.Errorf("got %+v, %v", ended, err)
		}
		gone(t, filepath.Join(dir, "pid"))
		gone(t, filepath.Join(dir, "escaped"))
	})
	t.Run("cancelled, all that was started is ended, and the cause is told", func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		why := errors.New("the lock was lost")
		time.AfterFunc(300*time.Millisecond, func() { cancel(why) })
		_, _, dir, err := run(ctx, t, "sleep 300 & echo $! >pid; wait", time.Minute)
		if !errors.Is(err, why) {
			t.Errorf("got %v", err)
		}
		gone(t, filepath.Join(dir, "pid"))
	})
}
