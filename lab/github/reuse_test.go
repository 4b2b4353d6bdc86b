package github

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	gogithub "github.com/google/go-github/v84/github"
)

// program builds an action of the suite, as install.sh does, and gives the path of its program.
func program(t *testing.T, action string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), action)
	build := exec.CommandContext(t.Context(), "go", "build", "-o", path, "./actions/"+action)
	build.Dir = filepath.Join("..", "..")
	build.Env = append(os.Environ(), "GOWORK=off")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building %s: %v\n%s", action, err, out)
	}
	return path
}

// job is a workflow's run of unit-test in the work tree.
type job struct {
	*world
	program, token string
	run            int
}

// outcome is what one run of the action came to.
type outcome struct {
	result, log string
	// ran says that the command was started; calls are the requests to GitHub; took is the life of the process.
	ran   bool
	calls []string
	took  time.Duration
}

// test runs the action on the commit that is checked out, for an event, as the n-th attempt of a run.
func (j *job) test(event Event, attempt int, command string) outcome {
	j.t.Helper()
	if attempt == 1 {
		j.run++
	}
	dir := j.t.TempDir()
	file := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		check(j.t, os.WriteFile(path, data, 0o600))
		return path
	}
	ran, output := filepath.Join(dir, "ran"), file("output", nil)
	cmd := exec.CommandContext(j.t.Context(), j.program)
	cmd.Dir = j.tree
	cmd.Env = append(os.Environ(),
		"GITHUB_API_URL="+j.server.URL(), "GITHUB_SERVER_URL=https://github.test", "GITHUB_REPOSITORY="+j.repo.Name(),
		fmt.Sprintf("GITHUB_RUN_ID=%d", j.run), fmt.Sprintf("GITHUB_RUN_ATTEMPT=%d", attempt), "GITHUB_WORKSPACE="+j.tree,
		"GITHUB_EVENT_NAME="+event.Name, "GITHUB_EVENT_PATH="+file("event.json", event.Payload), "GITHUB_OUTPUT="+output,
		"INPUT_GITHUB_TOKEN="+j.token, "INPUT_COMMAND="+command, "RAN="+ran,
	)
	before := len(j.server.Requests())
	began := time.Now()
	log, err := cmd.CombinedOutput()
	took := time.Since(began)
	if _, exited := err.(*exec.ExitError); err != nil && !exited { //nolint:errorlint // as os/exec gives it
		j.t.Fatal(err)
	}
	got := outcome{log: string(log), took: took}
	if _, err := os.Stat(ran); err == nil {
		got.ran = true
	}
	for _, r := range j.server.Requests()[before:] {
		got.calls = append(got.calls, r.Method+" "+r.Path)
	}
	data, err := os.ReadFile(output)
	check(j.t, err)
	_, rest, _ := strings.Cut(string(data), "result<<")
	if lines := strings.Split(rest, "\n"); len(lines) > 1 {
		got.result = lines[1]
	}
	return got
}

// want fails unless the run came to that, and a run that reused was quick and asked little.
func (j *job) want(got outcome, result string) {
	j.t.Helper()
	if got.result != result || got.ran != (result != "reused") {
		j.t.Errorf("got %q, the command ran: %v; want %q\n%s\n%s", got.result, got.ran, result, got.log, strings.Join(got.calls, "\n"))
	}
	if result == "reused" {
		j.t.Logf("%d calls, %s", len(got.calls), got.took.Round(time.Millisecond))
		if len(got.calls) > 4 || got.took > 2*time.Second {
			j.t.Errorf("a reused run took %s and %d calls:\n%s", got.took, len(got.calls), strings.Join(got.calls, "\n"))
		}
	}
}

// last is the newest status of unit-test on a commit.
func (j *job) last(sha string) Status {
	j.t.Helper()
	all, err := j.repo.Statuses(sha)
	check(j.t, err)
	if len(all) == 0 || all[0].Context != "promote/unit-test" {
		j.t.Fatalf("commit %s has the statuses %v", sha, all)
	}
	return all[0]
}

// checkout goes to a commit, as actions/checkout does.
func (j *job) checkout(sha string) {
	j.t.Helper()
	j.git("fetch", "--quiet", "origin")
	j.git("checkout", "--quiet", "--detach", sha)
}

// pushed commits and pushes the branch, and gives the event of the push.
func (j *job) pushed(branch string) Event {
	j.t.Helper()
	for _, e := range j.push(branch) {
		if e.Name == "push" {
			return e
		}
	}
	j.t.Fatal("there was no push")
	return Event{}
}

// TestATreeIsTestedOnce plays a change's life with the action's own program on a real repository: the unit tests run once for
// a tree, however the commit that holds it came to be.
func TestATreeIsTestedOnce(t *testing.T) {
	binary := program(t, "unit-test")
	const pass, fail = `touch "$RAN"`, `touch "$RAN"; exit 1`
	begin := func(t *testing.T) *job {
		t.Helper()
		w := newWorld(t)
		// What the workflow template grants, and no more.
		token, err := w.repo.NewToken(Bot, map[string]string{"contents": Read, "statuses": Write, "pull-requests": Read})
		check(t, err)
		return &job{world: w, program: binary, token: token, run: 100}
	}
	// feature pushes a branch with one commit and tests it.
	feature := func(j *job, command, result string) (string, Event) {
		j.t.Helper()
		j.git("checkout", "--quiet", "-b", "feature", "main")
		sha := j.commit("ada", "feature.txt", "x\n", "Add feature")
		event := j.pushed("feature")
		j.want(j.test(event, 1, command), result)
		return sha, event
	}

	t.Run("a re-run of the same commit", func(t *testing.T) {
		j := begin(t)
		_, event := feature(j, pass, "passed")
		j.want(j.test(event, 2, pass), "reused")
	})
	t.Run("the pull request of a branch that was pushed", func(t *testing.T) {
		j := begin(t)
		feature(j, pass, "passed")
		_, opened, err := j.repo.OpenPullRequest(t.Context(), "feature", "main", "Add feature", "ada")
		check(t, err)
		j.want(j.test(opened, 1, pass), "reused")
	})
	t.Run("an amended message", func(t *testing.T) {
		j := begin(t)
		sha, _ := feature(j, pass, "passed")
		proof := j.last(sha).URL
		j.git("-c", "user.name=ada", "-c", "user.email=ada@example.com", "commit", "--quiet", "--amend", "-m", "Add the feature")
		amended := j.pushed("feature")
		j.want(j.test(amended, 1, pass), "reused")
		if got := j.last(j.git("rev-parse", "HEAD")); got.State != "success" || got.URL != proof || !strings.Contains(got.Description, "passed as commit "+sha[:7]) {
			t.Errorf("got %+v, want the link %s", got, proof)
		}
		// The proof goes on from there.
		j.git("-c", "user.name=ada", "-c", "user.email=ada@example.com", "commit", "--quiet", "--amend", "-m", "Add the feature, again")
		j.want(j.test(j.pushed("feature"), 1, pass), "reused")
	})
	t.Run("a rebase that gives the same tree", func(t *testing.T) {
		j := begin(t)
		j.git("checkout", "--quiet", "-b", "feature", "main")
		j.commit("ada", "one.txt", "1\n", "One")
		j.commit("ada", "two.txt", "2\n", "Two")
		j.want(j.test(j.pushed("feature"), 1, pass), "passed")
		tree := j.git("rev-parse", "HEAD^{tree}")
		j.git("reset", "--quiet", "--soft", "main")
		j.git("-c", "user.name=ada", "-c", "user.email=ada@example.com", "commit", "--quiet", "-m", "One and two")
		if j.git("rev-parse", "HEAD^{tree}") != tree {
			t.Fatal("the trees differ")
		}
		j.want(j.test(j.pushed("feature"), 1, pass), "reused")
	})
	for _, method := range []string{MergeCommit, Squash, Rebase} {
		t.Run("a merge by "+method, func(t *testing.T) {
			j := begin(t)
			sha, _ := feature(j, pass, "passed")
			p, _, err := j.repo.OpenPullRequest(t.Context(), "feature", "main", "Add feature", "ada")
			check(t, err)
			merged, err := j.repo.Merge(t.Context(), p.Number, method, "grace")
			check(t, err)
			j.checkout(merged.SHA)
			j.want(j.test(merged.Push, 1, pass), "reused")
			if got := j.last(merged.SHA); got.URL != j.last(sha).URL || got.By != Bot {
				t.Errorf("got %+v", got)
			}
		})
	}
	t.Run("a merge whose tree nobody tested is tested", func(t *testing.T) {
		j := begin(t)
		feature(j, pass, "passed")
		p, _, err := j.repo.OpenPullRequest(t.Context(), "feature", "main", "Add feature", "ada")
		check(t, err)
		j.git("checkout", "--quiet", "main")
		j.commit("grace", "between.txt", "x\n", "Came between")
		j.push("main")
		merged, err := j.repo.Merge(t.Context(), p.Number, Squash, "grace")
		check(t, err)
		j.checkout(merged.SHA)
		j.want(j.test(merged.Push, 1, pass), "passed")
	})
	t.Run("a tree that failed is tested again", func(t *testing.T) {
		j := begin(t)
		_, event := feature(j, fail, "failed")
		j.want(j.test(event, 2, fail), "failed")
		j.git("-c", "user.name=ada", "-c", "user.email=ada@example.com", "commit", "--quiet", "--amend", "-m", "Add the feature")
		j.want(j.test(j.pushed("feature"), 1, fail), "failed")
	})
	t.Run("another command is run", func(t *testing.T) {
		j := begin(t)
		_, event := feature(j, pass, "passed")
		j.want(j.test(event, 2, pass+"; true"), "passed")
		// And the first one is still proven.
		j.want(j.test(event, 3, pass), "reused")
	})
	t.Run("a status that a person set by hand is no proof", func(t *testing.T) {
		j := begin(t)
		sha, event := feature(j, fail, "failed")
		url := j.last(sha).URL
		_, _, err := j.client("ada", map[string]string{"statuses": Write}).Repositories.CreateStatus(t.Context(), owner, name, sha, gogithub.RepoStatus{
			State: gogithub.Ptr("success"), Context: gogithub.Ptr("promote/unit-test"), TargetURL: &url,
		})
		check(t, err)
		got := j.test(event, 2, fail)
		if j.want(got, "failed"); !strings.Contains(got.log, "its success was set by ada and not by a workflow") {
			t.Errorf("got %s", got.log)
		}
	})
}
