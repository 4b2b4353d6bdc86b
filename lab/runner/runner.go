// Package runner runs a workflow the way one self-hosted runner would: in act, in host mode, with the label, the
// environment variables and the credentials of that runner alone. A job that asks for another label finds no runner here,
// as on GitHub; a job that is sent to the wrong runner gets that runner's identity and rights.
//
// It refuses to start without a clean clone at the event's commit, because GitHub takes the workflow file from there.
//
//	res, err := runner.Run(ctx, runner.Job{Workflow: "production.yml", Event: event, …}, log)
package runner

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"syscall"
	"time"
)

// Artifacts is the folder below a run's own in which its artifacts are, each in a folder of its name.
const Artifacts = "artifacts"

// Runner is one self-hosted runner.
type Runner struct {
	// Label is the only label it answers to, beside self-hosted.
	Label string
	// Env is what its .env file and its service give to every job.
	Env map[string]string
	// Act is the path of the act binary.
	Act string
}

// Job is one workflow run.
type Job struct {
	// Workflow is the file's name below .github/workflows.
	Workflow string
	// Event is the name and payload of what happened.
	Event   string
	Payload []byte
	// Repository is owner/name; Clone is the bare repository, and SHA the commit whose workflow file runs.
	Repository string
	Clone      string
	SHA        string
	// Actor caused the event.
	Actor string
	Vars  map[string]string
	Token string
	// Actions maps `owner/name@ref` to folders on this machine.
	Actions map[string]string
	// Cache is where act keeps what several runs share: actions and the tool cache.
	Cache string
	// Dir is where the run keeps its clone, its files and its log.
	Dir string
	// RunID is the run's number, as GITHUB_RUN_ID.
	RunID int
}

// Result is how the run ended.
type Result struct {
	Succeeded bool
	// Ran counts the jobs that found a runner.
	Ran     int
	Took    time.Duration
	LogFile string
}

// Line is one line of a job's output.
type Line struct {
	Job, Step, Text, Level string
}

// Run runs the workflow and calls each with every line of output. The error says that the run could not be made; a run
// whose jobs failed is a Result.
func Run(ctx context.Context, r Runner, j Job, each func(Line)) (Result, error) {
	work := filepath.Join(j.Dir, "work")
	if err := clone(ctx, j.Clone, j.SHA, work); err != nil {
		return Result{}, err
	}
	args, err := arguments(r, j, work)
	if err != nil {
		return Result{}, err
	}
	logFile := filepath.Join(j.Dir, "log.txt")
	log, err := os.Create(logFile)
	if err != nil {
		return Result{}, err
	}
	defer log.Close()

	start := time.Now()
	cmd := exec.CommandContext(ctx, r.Act, args...)
	cmd.Dir = work
	cmd.Env = environment(r, j)
	cmd.Stderr = log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	out, err := cmd.StdoutPipe()
	if err != nil {
		return Result{}, err
	}
	if err := cmd.Start(); err != nil {
		return Result{}, fmt.Errorf("starting %q: %w", r.Act, err)
	}
	jobs := map[string]bool{}
	follow(out, log, func(l Line) {
		if l.Job != "" {
			jobs[l.Job] = true
		}
		each(l)
	})
	err = cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return Result{}, fmt.Errorf("running %s: %w", j.Workflow, err)
	}
	return Result{Succeeded: err == nil && len(jobs) > 0, Ran: len(jobs), Took: time.Since(start), LogFile: logFile}, nil
}

// arguments is the command line of act; values that must not be seen go through files.
func arguments(r Runner, j Job, work string) ([]string, error) {
	event := filepath.Join(j.Dir, "event.json")
	if err := os.WriteFile(event, j.Payload, 0o600); err != nil {
		return nil, err
	}
	// act would take the repository's name from the clone's remote, which is a path here.
	env := map[string]string{
		"LAB_REPOSITORY": j.Clone, "LAB_ARTIFACTS": filepath.Join(j.Dir, Artifacts),
		"GITHUB_REPOSITORY": j.Repository, "GITHUB_RUN_ID": fmt.Sprint(j.RunID),
	}
	for k, v := range r.Env {
		env[k] = v
	}
	files := map[string]map[string]string{"env": env, "vars": j.Vars, "secrets": {"GITHUB_TOKEN": j.Token}}
	for name, values := range files {
		if err := writeEnv(filepath.Join(j.Dir, name), values); err != nil {
			return nil, err
		}
	}
	args := []string{
		j.Event, "--json", "-C", work, "-W", filepath.Join(work, ".github", "workflows", j.Workflow), "-e", event,
		"-P", r.Label + "=-self-hosted", "--actor", j.Actor, "--defaultbranch", "main",
		"--env-file", filepath.Join(j.Dir, "env"), "--var-file", filepath.Join(j.Dir, "vars"),
		"--secret-file", filepath.Join(j.Dir, "secrets"), "--container-daemon-socket", "-",
	}
	for name, path := range j.Actions {
		args = append(args, "--local-repository", name+"="+path)
	}
	return args, nil
}

// environment is act's own: the machine's PATH and a home of its own, so that no file of the user's steers it.
func environment(r Runner, j Job) []string {
	env := []string{
		"HOME=" + os.Getenv("HOME"), "PATH=" + r.Env["PATH"], "XDG_CONFIG_HOME=" + filepath.Join(j.Dir, "config"),
		"XDG_CACHE_HOME=" + j.Cache, "ACT_DISABLE_VERSION_CHECK=1",
	}
	for _, keep := range []string{"GOPROXY", "GOFLAGS", "GOCACHE", "GOMODCACHE", "SSL_CERT_FILE", "TMPDIR"} {
		if v, ok := os.LookupEnv(keep); ok {
			env = append(env, keep+"="+v)
		}
	}
	return env
}

// clone makes a clean clone at the commit.
func clone(ctx context.Context, repository, sha, dir string) error {
	if err := os.MkdirAll(filepath.Join(filepath.Dir(dir), "config", "act"), 0o755); err != nil {
		return err
	}
	// Without this file act asks which image to use.
	if err := os.WriteFile(filepath.Join(filepath.Dir(dir), "config", "act", "actrc"), nil, 0o644); err != nil {
		return err
	}
	for _, args := range [][]string{
		{"clone", "--quiet", "--no-checkout", repository, dir},
		{"-C", dir, "-c", "advice.detachedHead=false", "checkout", "--quiet", sha},
	} {
		if out, err := exec.CommandContext(ctx, "git", args...).CombinedOutput(); err != nil {
			return fmt.Errorf("running git %s: %w: %s", strings.Join(args, " "), err, out)
		}
	}
	return nil
}

// writeEnv writes a file in the form that act reads: NAME="value", sorted.
func writeEnv(path string, values map[string]string) error {
	names := make([]string, 0, len(values))
	for n := range values {
		names = append(names, n)
	}
	sort.Strings(names)
	var b strings.Builder
	for _, n := range names {
		fmt.Fprintf(&b, "%s=%q\n", n, values[n])
	}
	return os.WriteFile(path, []byte(b.String()), 0o600)
}

// follow reads act's JSON lines, keeps them readable in the log and hands them on.
func follow(r io.Reader, log io.Writer, each func(Line)) {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 64<<10), 4<<20)
	for lines.Scan() {
		var raw struct {
			Job   string `json:"job"`
			JobID string `json:"jobID"`
			Step  string `json:"step"`
			Level string `json:"level"`
			Msg   string `json:"msg"`
		}
		if err := json.Unmarshal(lines.Bytes(), &raw); err != nil {
			raw.Msg = lines.Text()
		}
		l := Line{Job: raw.JobID, Step: raw.Step, Level: raw.Level, Text: strings.TrimRight(raw.Msg, "\r\n")}
		fmt.Fprintf(log, "[%s] %s\n", l.Job, l.Text)
		each(l)
	}
}
