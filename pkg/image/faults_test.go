package image

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// faults are what a registry or the network does wrong to a request. Each gets the request before the registry does and
// says whether it answered.
var faults = map[string]func(w http.ResponseWriter, r *http.Request) bool{
	"429 without Retry-After": func(w http.ResponseWriter, _ *http.Request) bool {
		http.Error(w, `{"errors":[{"code":"TOOMANYREQUESTS","message":"slow down"}]}`, http.StatusTooManyRequests)
		return true
	},
	"429 with Retry-After": func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusTooManyRequests)
		return true
	},
	"500": func(w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(http.StatusInternalServerError)
		return true
	},
	"a connection reset in the middle of a blob": func(_ http.ResponseWriter, r *http.Request) bool {
		_, _ = io.CopyN(io.Discard, r.Body, 10<<10)
		panic(http.ErrAbortHandler)
	},
	"a connection reset after the registry did what it was asked": nil, // see below: it needs the registry
	"a slow answer": func(http.ResponseWriter, *http.Request) bool {
		time.Sleep(50 * time.Millisecond) // this is the fault
		return false
	},
}

// kinds are the requests of a push, each of which meets each fault once.
var kinds = map[string]func(r *http.Request) bool{
	"asking for a blob": func(r *http.Request) bool {
		return r.Method == http.MethodHead && strings.Contains(r.URL.Path, "/blobs/")
	},
	"beginning a blob": func(r *http.Request) bool { return r.Method == http.MethodPost },
	"sending a blob":   func(r *http.Request) bool { return r.Method == http.MethodPatch },
	"ending a blob": func(r *http.Request) bool {
		return r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/blobs/uploads/")
	},
	"putting the manifest": func(r *http.Request) bool {
		return r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/manifests/sha256:")
	},
	"putting a tag": func(r *http.Request) bool {
		return r.Method == http.MethodPut && strings.HasSuffix(r.URL.Path, "/test")
	},
	"reading a tag back": func(r *http.Request) bool {
		return r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/test")
	},
	"asking what it is": func(r *http.Request) bool { return r.URL.Path == "/v2/" },
	"reading the manifest": func(r *http.Request) bool {
		return r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/manifests/sha256:")
	},
}

func TestPushSurvives(t *testing.T) {
	for fault, strike := range faults {
		for kind, is := range kinds {
			t.Run(fault+" while "+kind, func(t *testing.T) {
				t.Parallel()
				s := serve(t)
				var struck atomic.Int32
				s.behind(func(w http.ResponseWriter, r *http.Request) bool {
					if !is(r) || struck.Add(1) > 2 {
						return false
					}
					if strike == nil {
						s.inner.ServeHTTP(httptest.NewRecorder(), r)
						panic(http.ErrAbortHandler)
					}
					return strike(w, r)
				})
				dir, digest := randomLayout(t)
				pushed, err := Push(t.Context(), dir, s.repository, []string{commit, "test"})
				if err != nil {
					t.Fatal(err)
				}
				s.behind(nil)
				if diff := cmp.Diff(map[string]string{commit: digest, "test": digest}, s.tags(t)); diff != "" || pushed.Digest != digest {
					t.Errorf("tags (-want +got):\n%s", diff)
				}
				if struck.Load() == 0 {
					t.Error("the fault never struck")
				}
			})
		}
	}
}

func TestFaultsThatStay(t *testing.T) {
	t.Run("a rate limit that holds is reported with the time to wait", func(t *testing.T) {
		s := serve(t)
		s.behind(func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Retry-After", "600")
			w.WriteHeader(http.StatusTooManyRequests)
			return true
		})
		dir, _ := randomLayout(t)
		began := time.Now()
		_, err := Push(t.Context(), dir, s.repository, []string{"test"})
		var busy *BusyError
		if !errors.As(err, &busy) || busy.Wait != 10*time.Minute || !strings.Contains(err.Error(), "it asks to wait for 10m0s") {
			t.Errorf("Push() = %v, want a BusyError", err)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("it took %v", took)
		}
	})
	for name, code := range map[string]int{"a rate limit": http.StatusTooManyRequests, "500": http.StatusInternalServerError} {
		t.Run(name+" on every piece of a blob is reported by the registry's name", func(t *testing.T) {
			s := serve(t)
			s.behind(func(w http.ResponseWriter, r *http.Request) bool {
				if r.Method == http.MethodPatch {
					w.WriteHeader(code)
				}
				return r.Method == http.MethodPatch
			})
			dir, _ := randomLayout(t)
			_, err := Push(t.Context(), dir, s.repository, []string{"test"})
			host, _, _ := strings.Cut(s.repository, "/")
			if err == nil || !strings.Contains(err.Error(), `reaching registry "`+host+`"`) {
				t.Errorf("Push() = %v", err)
			}
			if tags := s.tags(t); len(tags) != 0 {
				t.Errorf("tags after a push that failed: %v", tags)
			}
		})
	}
}

func TestPushesAtOnce(t *testing.T) {
	slow := func(s *server) {
		s.behind(func(_ http.ResponseWriter, r *http.Request) bool {
			time.Sleep(time.Millisecond) // the way there
			return false
		})
	}
	t.Run("of one image both succeed", func(t *testing.T) {
		s := serve(t)
		slow(s)
		dir, digest := randomLayout(t)
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				if _, err := Push(t.Context(), dir, s.repository, []string{commit, "test"}); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if diff := cmp.Diff(map[string]string{commit: digest, "test": digest}, s.tags(t)); diff != "" {
			t.Errorf("tags (-want +got):\n%s", diff)
		}
	})
	t.Run("of different images for one commit end with one of them, and that run alone says it succeeded", func(t *testing.T) {
		s := serve(t)
		slow(s)
		var all sync.WaitGroup
		won := make(chan string, 4)
		for range 4 {
			dir, digest := randomLayout(t)
			all.Go(func() {
				_, err := Push(t.Context(), dir, s.repository, []string{commit})
				if err == nil {
					reference := Reference(s.repository, digest)
					_, err = Mark(t.Context(), reference, "test", commit, line{}.isAncestor)
					err = errors.Join(err, Verify(t.Context(), reference, commit))
				}
				var taken *TagTakenError
				switch {
				case err == nil:
					won <- digest
				case !errors.As(err, &taken):
					t.Errorf("the run ends with %v, want a TagTakenError", err)
				}
			})
		}
		all.Wait()
		close(won)
		var winners []string
		for digest := range won {
			winners = append(winners, digest)
		}
		if held := s.tags(t)[commit]; len(winners) != 1 || winners[0] != held {
			t.Errorf("%d runs succeeded: %v; the tag holds %s", len(winners), winners, held)
		}
	})
}
