package actions

import (
	"archive/tar"
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestInstallGetsTheProgramOfARelease(t *testing.T) {
	transfers(t, func(t *testing.T, path string) {
		h := newHost(t)
		tr := newRelease(t, h.address())
		tr.environment = append(tr.environment, path)
		before := tr.files(tr.root)
		tr.wantProgram()
		tr.wantProgram()
		if n := len(h.requests()); n != 1 {
			t.Errorf("%d requests for two runs, want 1", n)
		}
		if diff := cmp.Diff(before, tr.files(tr.root)); diff != "" {
			t.Errorf("files in the tree:\n%s", diff)
		}
		tr.wantFiles(2) // the program and the mark beside it
	})
}

func TestInstallStartsNothingWithAnotherHash(t *testing.T) {
	t.Run("the release serves something else", func(t *testing.T) {
		h := newHost(t)
		other := pack(t, "#!/bin/sh\necho released pid of an attacker\n")
		h.serve = func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(other) }
		newRelease(t, h.address()).wantFailure("wrong content", sum(other), sum(pack(t, program)), h.address())
	})
	t.Run("what is packed is something else", func(t *testing.T) {
		h := newHost(t)
		tr := newRelease(t, h.address())
		tr.names(h.address(), sum([]byte("another program")), sum(pack(t, program)))
		tr.wantFailure("wrong program in it", sum([]byte("another program")))
	})
	t.Run("the server has an error page", func(t *testing.T) {
		h := newHost(t)
		h.serve = http.NotFound
		newRelease(t, h.address()).wantFailure(asset, h.address(), "404", "PROMOTE_MIRROR")
	})
}

func TestInstallMendsACacheThatWasChanged(t *testing.T) {
	for name, change := range map[string]func(t *testing.T, path string){
		"cut off": func(t *testing.T, path string) {
			if err := os.Truncate(path, 10); err != nil {
				t.Fatal(err)
			}
		},
		"another text of the same length and date": func(t *testing.T, path string) {
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(strings.Replace(program, "released", "tampered", 1)), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.Chtimes(path, info.ModTime(), info.ModTime()); err != nil {
				t.Fatal(err)
			}
		},
		"another file in its place, and the mark of an earlier start of the machine": func(t *testing.T, path string) {
			mark, err := os.ReadFile(path + ".complete")
			if err != nil {
				t.Fatal(err)
			}
			hash, rest, _ := strings.Cut(string(mark), " ")
			_, rest, _ = strings.Cut(rest, " ")
			if err := os.WriteFile(path+".complete", []byte(hash+" another-start "+rest), 0o644); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte("#!/bin/sh\necho tampered\n"), 0o755); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHost(t)
			tr := newRelease(t, h.address())
			tr.wantProgram()
			change(t, tr.installed())
			if out := tr.wantProgram(); !strings.Contains(out, "is not the program of v1.2.3; it is replaced") {
				t.Errorf("got\n%s", out)
			}
			tr.wantProgram()
			if n := len(h.requests()); n != 2 {
				t.Errorf("%d requests, want 2", n)
			}
		})
	}
	t.Run("a program without a mark is believed once its hash was taken", func(t *testing.T) {
		h := newHost(t)
		tr := newRelease(t, h.address())
		tr.wantProgram()
		if err := os.Remove(tr.installed() + ".complete"); err != nil {
			t.Fatal(err)
		}
		tr.wantProgram()
		tr.wantFiles(2)
		if n := len(h.requests()); n != 1 {
			t.Errorf("%d requests, want 1", n)
		}
	})
}

func TestInstallInSeveralJobsAtOnce(t *testing.T) {
	h := newHost(t)
	tr := newRelease(t, h.address())
	var wait sync.WaitGroup
	outs := make([]string, 6)
	for i := range outs {
		wait.Go(func() { outs[i], _, _ = tr.run("hello") })
	}
	wait.Wait()
	if all := strings.Join(outs, ""); strings.Count(all, "released pid") != len(outs) {
		t.Errorf("got\n%s", all)
	}
	tr.wantFiles(2)
}

func TestInstallKeepsToTheCacheAndTheProxy(t *testing.T) {
	transfers(t, func(t *testing.T, path string) {
		proxy := newHost(t)
		tr := newRelease(t, "http://releases.invalid/org/promote/releases/download/"+version)
		tr.environment = append(tr.environment, path, "HTTP_PROXY="+proxy.URL)
		tr.wantProgram()
		if asked := proxy.requests(); len(asked) != 1 || asked[0].Host != "releases.invalid" {
			t.Errorf("the proxy was asked %d times", len(asked))
		}
		proxy.Close()
		tr.wantProgram() // a warm cache needs no network
		if err := os.RemoveAll(tr.cache); err != nil {
			t.Fatal(err)
		}
		tr.wantFailure("releases.invalid", "PROMOTE_MIRROR")
	})
	t.Run("a cache that cannot be written to is read", func(t *testing.T) {
		h := newHost(t)
		tr := newRelease(t, h.address())
		tr.wantProgram()
		first := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(first, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		tr.environment = append(tr.environment, "RUNNER_TOOL_CACHE="+first, "XDG_CACHE_HOME="+tr.cache)
		tr.wantProgram()
		if n := len(h.requests()); n != 1 {
			t.Errorf("%d requests, want 1", n)
		}
	})
}

func TestInstallNamesAPlatformWithoutAProgram(t *testing.T) {
	tr := newRelease(t, newHost(t).address())
	bin := t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, "uname"), []byte("#!/bin/sh\necho Linux riscv64\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	tr.environment = append(tr.environment, "PATH="+bin+":"+os.Getenv("PATH"))
	tr.wantFailure("'hello' for this runner's platform, Linux riscv64", "plan9_mips "+platform, "PROMOTE_BINARY")
}

func TestInstallFromATreeThatIsElsewhere(t *testing.T) {
	h := newHost(t)
	tr := newRelease(t, h.address())
	// In a container job the tree is mounted elsewhere than github.action_path says, and the folder may be shared.
	inside := filepath.Join(t.TempDir(), "__w", "_actions")
	if err := os.MkdirAll(filepath.Dir(inside), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(tr.root, inside); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "link to it")
	if err := os.Symlink(inside, link); err != nil {
		t.Fatal(err)
	}
	err := filepath.Walk(inside, func(path string, info os.FileInfo, err error) error {
		if err != nil {
			return err
		}
		return os.Chmod(path, info.Mode()&^0o222)
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = exec.Command("chmod", "-R", "u+w", inside).Run() })
	before := tr.files(inside)
	tr.root = link
	tr.wantProgram()
	if diff := cmp.Diff(before, tr.files(inside)); diff != "" {
		t.Errorf("files in the tree:\n%s", diff)
	}
}

func TestInstallFromAMirror(t *testing.T) {
	folder := t.TempDir()
	if err := os.Mkdir(filepath.Join(folder, version), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, version, asset), pack(t, program), 0o644); err != nil {
		t.Fatal(err)
	}
	var bundle bytes.Buffer
	w := tar.NewWriter(&bundle)
	if err := w.AddFS(os.DirFS(folder)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "a bundle.tar")
	if err := os.WriteFile(file, bundle.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	server := newHost(t)
	for name, mirror := range map[string]string{
		"an address": server.URL + "/promote/", "a folder": folder, "a folder's address": "file://" + folder, "a tar file": file,
	} {
		t.Run(name, func(t *testing.T) {
			release := newHost(t)
			tr := newRelease(t, release.address())
			tr.environment = append(tr.environment, "PROMOTE_MIRROR="+mirror)
			tr.wantProgram()
			if n := len(release.requests()); n != 0 {
				t.Errorf("the release was asked %d times beside the mirror", n)
			}
		})
	}
	for name, mirror := range map[string]string{"nothing there": "/nowhere/bundle.tar", "no path": "bundle.tar", "no program": t.TempDir()} {
		t.Run(name, func(t *testing.T) {
			tr := newRelease(t, newHost(t).address())
			tr.environment = append(tr.environment, "PROMOTE_MIRROR="+mirror)
			tr.wantFailure("PROMOTE_MIRROR", mirror)
		})
	}
	t.Run("a mirror is not trusted", func(t *testing.T) {
		tr := newRelease(t, newHost(t).address())
		tr.names("https://github.com/x", sum([]byte(program)), sum([]byte("what was released")))
		tr.environment = append(tr.environment, "PROMOTE_MIRROR="+folder)
		tr.wantFailure("wrong content", folder)
	})
}

func TestInstallShowsTheTokenToItsOwnGitHubAlone(t *testing.T) {
	const token = "ghs_notForEverybody"
	storage := newHost(t) // where GitHub redirects to
	github := newHost(t)
	plain := github.serve
	github.serve = func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("Authorization") != "Bearer "+token:
			http.NotFound(w, r)
		case r.URL.Path == "/api/v3/repos/org/promote/releases/tags/"+version:
			fmt.Fprintf(w, `{"url":"%s/api/v3/repos/org/promote/releases/7","name":%q,"assets":[
				{"url":"%[1]s/api/v3/repos/org/promote/releases/assets/41","id":41,"name":"other.gz","uploader":{"login":"x","url":"%[1]s/users/x"}},
				{"url": "%[1]s/api/v3/repos/org/promote/releases/assets/42", "id": 42, "name": %[3]q, "uploader": {"login": "x"}}]}`, github.URL, version, asset)
		case r.URL.Path == "/api/v3/repos/org/promote/releases/assets/42" && r.Header.Get("Accept") == "application/octet-stream":
			http.Redirect(w, r, storage.URL+"/"+version+"/"+asset, http.StatusFound)
		default:
			http.NotFound(w, r)
		}
	}
	private := func(t *testing.T, url string) *tree {
		tr := newRelease(t, url)
		tr.environment = append(tr.environment, "INPUT_GITHUB_TOKEN="+token, "GITHUB_SERVER_URL="+github.URL, "GITHUB_API_URL="+github.URL+"/api/v3")
		return tr
	}
	shown := func(h *host) (n int) {
		for _, r := range h.requests() {
			if strings.Contains(fmt.Sprint(r.Header, r.URL), token) {
				n++
			}
		}
		return n
	}
	t.Run("a private repository's API gets it, and the storage that it redirects to does not", func(t *testing.T) {
		tr := private(t, github.address())
		out := tr.wantProgram()
		if strings.Contains(out, token) {
			t.Errorf("the log has the token:\n%s", out)
		}
		if shown(github) != 2 || shown(storage) != 0 || len(storage.requests()) != 1 {
			t.Errorf("GitHub saw the token %d times and the storage %d times", shown(github), shown(storage))
		}
	})
	t.Run("no argument of a process has it", func(t *testing.T) {
		curl, err := exec.LookPath("curl")
		if err != nil {
			t.Skip("this machine has no curl")
		}
		bin, seen := t.TempDir(), filepath.Join(t.TempDir(), "arguments")
		if err := os.WriteFile(filepath.Join(bin, "curl"), fmt.Appendf(nil, "#!/bin/sh\necho \"$@\" >>%s\nexec %s \"$@\"\n", seen, curl), 0o755); err != nil {
			t.Fatal(err)
		}
		tr := private(t, github.address())
		tr.environment = append(tr.environment, "PATH="+bin+":"+os.Getenv("PATH"))
		tr.wantProgram()
		arguments, err := os.ReadFile(seen)
		if err != nil || !strings.Contains(string(arguments), "/releases/assets/42") || strings.Contains(string(arguments), token) {
			t.Errorf("got %q, %v", arguments, err)
		}
		// An old curl shows a header of its own to wherever it is redirected.
		for line := range strings.Lines(string(arguments)) {
			if strings.Contains(line, "-K -") && strings.Contains(line, "L ") {
				t.Errorf("a request with the token follows redirects: %q", line)
			}
		}
	})
	t.Run("a foreign release, its redirects, a mirror and a foreign API never get it", func(t *testing.T) {
		foreign := newHost(t)
		foreign.serve = http.NotFound
		before := shown(github)
		private(t, foreign.address()).wantFailure("404")

		tr := private(t, github.address())
		tr.environment = append(tr.environment, "PROMOTE_MIRROR="+foreign.URL)
		tr.wantFailure("404")

		tr = private(t, github.address())
		tr.environment = append(tr.environment, "GITHUB_API_URL="+foreign.URL+"/api/v3")
		tr.wantFailure("404")
		if shown(foreign) != 0 || shown(github) != before {
			t.Errorf("the foreign host saw the token %d times", shown(foreign))
		}
	})
	t.Run("a public repository does not need it", func(t *testing.T) {
		public := newHost(t)
		public.serve = plain
		tr := newRelease(t, public.address())
		tr.environment = append(tr.environment, "INPUT_GITHUB_TOKEN="+token, "GITHUB_SERVER_URL="+public.URL, "GITHUB_API_URL="+public.URL+"/api/v3")
		tr.wantProgram()
		if shown(public) != 0 {
			t.Error("it got it anyway")
		}
	})
}

func TestInstallThatIsInterruptedLeavesNothing(t *testing.T) {
	// stalled serves half of the file and then nothing more, and tells when, and when nobody waits for the rest any more.
	stalled := func(t *testing.T) (h *host, halfway, ended chan struct{}) {
		h, halfway, ended = newHost(t), make(chan struct{}, 8), make(chan struct{}, 8)
		over := make(chan struct{})
		t.Cleanup(func() { close(over) })
		h.serve = func(w http.ResponseWriter, r *http.Request) {
			file := pack(t, program)
			w.Header().Set("Content-Length", strconv.Itoa(len(file)))
			_, _ = w.Write(file[:len(file)/2])
			w.(http.Flusher).Flush()
			halfway <- struct{}{}
			select {
			case <-r.Context().Done():
				ended <- struct{}{}
			case <-over:
			}
		}
		return h, halfway, ended
	}
	transfers(t, func(t *testing.T, path string) {
		for name, stop := range map[string]func(t *testing.T, script int){
			"the script gets SIGINT": func(t *testing.T, script int) {
				if err := syscall.Kill(script, syscall.SIGINT); err != nil {
					t.Fatal(err)
				}
			},
			"the transfer is killed": func(t *testing.T, script int) {
				children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", script))
				if err != nil {
					t.Skip("this machine does not tell a process's children")
				}
				for child := range strings.FieldsSeq(string(children)) {
					pid, _ := strconv.Atoi(child) // the kernel writes numbers
					if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
						t.Fatal(err)
					}
				}
			},
		} {
			t.Run(name, func(t *testing.T) {
				h, halfway, ended := stalled(t)
				tr := newRelease(t, h.address())
				tr.environment = append(tr.environment, path)
				cmd := tr.command("hello")
				var out bytes.Buffer
				cmd.Stdout, cmd.Stderr = &out, &out
				cmd.WaitDelay = time.Second // the output of a transfer that goes on is not waited for
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				select {
				case <-halfway:
				case <-time.After(time.Minute):
					t.Fatal("nothing was asked for")
				}
				stop(t, cmd.Process.Pid)
				if err := cmd.Wait(); err == nil || strings.Contains(out.String(), "released pid") {
					t.Fatalf("got %v\n%s", err, out.String())
				}
				select {
				case <-ended:
				case <-time.After(10 * time.Second):
					t.Error("the transfer goes on")
				}
				tr.wantFiles(0)
			})
		}
	})
}

func TestInstallTakesAProgramThatTheRunnerBrings(t *testing.T) {
	folder := t.TempDir()
	for name, mode := range map[string]os.FileMode{"hello": 0o755, "other": 0o755, "sub/hello": 0o644} {
		if err := os.MkdirAll(filepath.Join(folder, "sub"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, name), []byte(program), mode); err != nil {
			t.Fatal(err)
		}
	}
	unasked := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("something was fetched") }))
	defer unasked.Close()
	for _, path := range []string{folder, filepath.Join(folder, "hello")} {
		tr := newRelease(t, unasked.URL)
		tr.environment = append(tr.environment, "PROMOTE_BINARY="+path)
		tr.wantProgram()
		tr.wantFiles(0)
	}
	for path, want := range map[string]string{
		"hello":                           "must be an absolute path",
		filepath.Join(folder, "other"):    "which is not called 'hello'",
		filepath.Join(folder, "sub"):      "may not be executed",
		filepath.Join(folder, "no/hello"): "there is no file",
		t.TempDir():                       "there is no file",
	} {
		tr := newRelease(t, unasked.URL)
		tr.environment = append(tr.environment, "PROMOTE_BINARY="+path)
		tr.wantFailure(want, "PROMOTE_BINARY")
	}
}
