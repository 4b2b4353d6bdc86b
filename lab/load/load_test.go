package load

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// run sends a whole load and returns its records.
func run(t *testing.T, config Config) []Record {
	t.Helper()
	r, err := Start(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	records, err := r.Wait()
	if err != nil {
		t.Fatal(err)
	}
	return records
}

// serve starts a server whose answers name version v1.
func serve(t *testing.T, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Version", "v1")
		handler(w, r)
	}))
	t.Cleanup(server.Close)
	return server
}

func answers(http.ResponseWriter, *http.Request) {}

func TestTheRateIsHeldThoughAnswersAreSlow(t *testing.T) {
	const slow = 300 * time.Millisecond
	var inFlight, most atomic.Int64
	server := serve(t, func(http.ResponseWriter, *http.Request) {
		most.Store(max(most.Load(), inFlight.Add(1)))
		time.Sleep(slow)
		inFlight.Add(-1)
	})
	records := run(t, Config{URL: server.URL, Rate: 100, Max: 50, Scenario: Get("/"), KeepAlive: 0.5})

	if len(records) != 50 {
		t.Fatalf("%d requests, want 50", len(records))
	}
	// A closed loop with one request at a time would take 15 s to send these.
	if took := records[49].Time.Sub(records[0].Time); took < 450*time.Millisecond || took > 3*time.Second {
		t.Errorf("50 requests at 100/s were sent in %s, want about 490ms", took)
	}
	if most.Load() < 10 {
		t.Errorf("at most %d requests were in flight at once, want about 30", most.Load())
	}
	for _, r := range records {
		if r.Failed() || r.LatencyMS < 300 {
			t.Errorf("record %+v, want an answer after %s or more", r, slow)
		}
	}
}

func TestStopAwaitsWhatIsInFlight(t *testing.T) {
	arrived, release := make(chan struct{}, 100), make(chan struct{})
	server := serve(t, func(http.ResponseWriter, *http.Request) { arrived <- struct{}{}; <-release })
	r, err := Start(t.Context(), Config{URL: server.URL, Rate: 100, Scenario: Get("/")})
	if err != nil {
		t.Fatal(err)
	}
	<-arrived
	stopped := make(chan []Record)
	go func() {
		records, err := r.Stop()
		if err != nil {
			t.Error(err)
		}
		stopped <- records
	}()
	if n := len(r.Records()); n != 0 {
		t.Errorf("%d requests are recorded before any was answered", n)
	}
	close(release)
	records := <-stopped
	if s := Summarize(records); s.Requests == 0 || s.Failures != 0 {
		t.Errorf("%d requests, %d failed; want some and none", s.Requests, s.Failures)
	}
}

func TestRequestsBeyondTheLimitInFlightFailUnsent(t *testing.T) {
	var arrived atomic.Int64
	release := make(chan struct{})
	server := serve(t, func(http.ResponseWriter, *http.Request) { arrived.Add(1); <-release })
	time.AfterFunc(200*time.Millisecond, func() { close(release) })
	records := run(t, Config{URL: server.URL, Rate: 1000, Max: 20, InFlight: 5, Scenario: Get("/")})

	s := Summarize(records)
	if arrived.Load() != 5 || s.Failures != 15 {
		t.Errorf("%d requests arrived and %d failed, want 5 and 15", arrived.Load(), s.Failures)
	}
	if want := map[string]int{"not sent: 5 requests are waiting for their answers": 15}; !cmp.Equal(s.Causes, want) {
		t.Errorf("causes: %s", cmp.Diff(want, s.Causes))
	}
}

func TestEveryAnswerIsLoggedAsALineOfJSON(t *testing.T) {
	server := serve(t, answers)
	var log bytes.Buffer
	records := run(t, Config{URL: server.URL, Rate: 500, Max: 20, KeepAlive: 0.5, Scenario: Get("/x"), Log: &log})

	logged, err := ReadLog(bytes.NewReader(log.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	for i := range records {
		records[i].Time = records[i].Time.Round(0) // JSON has no monotonic clock
	}
	if diff := cmp.Diff(records, logged); diff != "" {
		t.Errorf("the log differs from the records (-records +log):\n%s", diff)
	}
	first := logged[0]
	if first.Request != "GET /x" || first.Status != 200 || first.Version != "v1" || first.Time.IsZero() {
		t.Errorf("record %+v", first)
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestALogThatCannotBeWrittenIsAnError(t *testing.T) {
	server := serve(t, answers)
	r, err := Start(t.Context(), Config{URL: server.URL, Rate: 500, Max: 2, Scenario: Get("/"), Log: full{}})
	if err != nil {
		t.Fatal(err)
	}
	if records, err := r.Wait(); err == nil || len(records) != 2 {
		t.Errorf("Wait returned %d records and %v, want 2 and an error", len(records), err)
	}
}

func TestConnectionsAreKeptAndRenewed(t *testing.T) {
	connections := func(keep bool) int {
		seen := make(map[string]bool)
		server := serve(t, func(_ http.ResponseWriter, r *http.Request) { seen[r.RemoteAddr] = true })
		sender := newSender(Config{URL: server.URL, Clients: 2, PerConnection: 10}.withDefaults())
		defer sender.close()
		for range 40 {
			if r := sender.send(t.Context(), Get("/")(0), keep); r.Failed() {
				t.Fatalf("record %+v", r)
			}
		}
		return len(seen)
	}
	if n := connections(false); n != 40 {
		t.Errorf("40 requests without keep-alive took %d connections, want 40", n)
	}
	// Two clients with 20 requests each and 10 to a connection; the second begins half-way through its first.
	if n := connections(true); n != 5 {
		t.Errorf("40 requests of 2 clients that renew their connections took %d connections, want 5", n)
	}
}

func TestTheShareOfKeptConnectionsIsWhatWasAskedFor(t *testing.T) {
	for _, share := range []float64{0, 0.25, 0.5, 1} {
		var kept [2]int // of even and of odd requests: a scenario that alternates must meet both kinds
		for n := range 1000 {
			if keeps(n, share) {
				kept[n%2]++
			}
		}
		for parity, n := range kept {
			if want := share * 500; float64(n) < want-10 || float64(n) > want+10 {
				t.Errorf("share %v: %d of 500 requests with n%%2 == %d are kept, want %v", share, n, parity, want)
			}
		}
	}
}

func TestCheckoutPlacesOrdersAndReadsThem(t *testing.T) {
	var mu sync.Mutex
	seen := make(map[string]int)
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		seen[r.Method+" "+r.URL.Path]++
		mu.Unlock()
		if r.Method == "POST" && bytes.Contains(body, []byte(`"currency":"CHF"`)) {
			w.WriteHeader(http.StatusCreated)
			io.WriteString(w, `{"id":"o1"}`)
		}
	})
	run(t, Config{URL: server.URL, Rate: 100, Max: 40, Scenario: Checkout("CHF")})
	if seen["POST /orders"] < 20 || seen["GET /orders/o1"] < 15 || len(seen) != 2 {
		t.Errorf("requests %v, want about as many POST /orders as GET /orders/o1", seen)
	}
}

func TestStartRefusesALoadWithoutBounds(t *testing.T) {
	_, err := Start(t.Context(), Config{URL: "shop", Rate: 1e6, KeepAlive: 2, Max: -1, Duration: -1})
	if err == nil {
		t.Fatal("accepted")
	}
	for _, problem := range []string{`URL "shop"`, "rate", "keep-alive", "number of requests", "duration", "scenario"} {
		if !bytes.Contains([]byte(err.Error()), []byte(problem)) {
			t.Errorf("%s is not named in: %v", problem, err)
		}
	}
}

func TestKeptConnectionsAreUsedEverySecondUnlessToldOtherwise(t *testing.T) {
	for rate, want := range map[float64]int{0.5: 1, 10: 5, 50: 20, 500: 20} {
		if got := (Config{Rate: rate, KeepAlive: 0.5}).withDefaults().Clients; got != want {
			t.Errorf("%v requests/s, half of them kept: %d clients, want %d", rate, got, want)
		}
	}
	if got := (Config{Rate: 50, Clients: 3}).withDefaults().Clients; got != 3 {
		t.Errorf("%d clients, want the 3 that were asked for", got)
	}
}
