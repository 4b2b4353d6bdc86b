package fault

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// serve is a server that counts, with a front.
func serve(t *testing.T, decide func(Request) Fault) (front *Front, in *Injector, reached *atomic.Int32) {
	t.Helper()
	reached = &atomic.Int32{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reached.Add(1)
		_, _ = io.WriteString(w, "hello "+r.Host)
	}))
	t.Cleanup(server.Close)
	in = NewInjector(decide)
	front, err := in.Front(server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(front.Close)
	return front, in, reached
}

func TestFaultsAreWhatTheClientMeets(t *testing.T) {
	killed := false
	for name, tc := range map[string]struct {
		fault   Fault
		status  int // 0: no answer
		reached int32
	}{
		"none is passed on":                 {Fault{}, 200, 1},
		"a status never reaches the server": {Fault{Status: 429}, 429, 0},
		"a reset is no answer":              {Fault{Reset: true}, 0, 0},
		"a stall is passed on late":         {Fault{Stall: time.Millisecond}, 200, 1},
		"after comes when it is done":       {Fault{After: func() { killed = true }}, 200, 1},
	} {
		t.Run(name, func(t *testing.T) {
			front, _, reached := serve(t, func(Request) Fault { return tc.fault })
			// A POST, since Go's client repeats a GET whose kept connection broke by itself.
			resp, err := http.Post(front.URL+"/x", "text/plain", strings.NewReader("body"))
			switch {
			case tc.status == 0 && err == nil:
				t.Errorf("got status %d, want none", resp.StatusCode)
			case tc.status != 0 && err != nil:
				t.Fatal(err)
			case tc.status != 0 && resp.StatusCode != tc.status:
				t.Errorf("got status %d, want %d", resp.StatusCode, tc.status)
			case tc.status == 0 && !errors.Is(err, io.EOF):
				t.Errorf("got %v, want a connection that broke", err)
			}
			if got := reached.Load(); got != tc.reached {
				t.Errorf("the server got %d requests, want %d", got, tc.reached)
			}
		})
	}
	if !killed {
		t.Error("After never ran")
	}
}

func TestRequestsAreCountedInAllAndByTheirURL(t *testing.T) {
	front, in, _ := serve(t, func(Request) Fault { return Fault{} })
	for _, path := range []string{"/a", "/b", "/a"} {
		resp, err := http.Get(front.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
	}
	var got []string
	for _, r := range in.Seen() {
		got = append(got, strings.Repeat("again ", r.Same-1)+r.String())
	}
	want := []string{"request 1, GET /a", "request 2, GET /b", "again request 3, GET /a"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestBytesAreCountedBothWays(t *testing.T) {
	front, in, _ := serve(t, func(Request) Fault { return Fault{} })
	resp, err := http.Post(front.URL+"/x", "text/plain", strings.NewReader("body"))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if want := int64(len("body") + len(answer)); err != nil || in.Bytes() != want {
		t.Errorf("got %d bytes, %v, want %d", in.Bytes(), err, want)
	}
}

func TestTheHostStaysTheClients(t *testing.T) {
	front, _, _ := serve(t, func(Request) Fault { return Fault{} })
	resp, err := http.Get(front.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if want := "hello " + strings.TrimPrefix(front.URL, "http://"); err != nil || string(body) != want {
		t.Errorf("got %q, %v, want %q", body, err, want)
	}
}
