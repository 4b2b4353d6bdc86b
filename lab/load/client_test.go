package load

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestAnswersThatCountAsFailures(t *testing.T) {
	for name, test := range map[string]struct {
		handler http.HandlerFunc
		status  int
		cause   string
	}{
		"a server error":     {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }, 500, "status 500"},
		"a client error":     {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) }, 404, "status 404"},
		"a reset connection": {reset, 0, "read: connection reset by peer"},
		"a closed connection": {func(http.ResponseWriter, *http.Request) {
			panic(http.ErrAbortHandler)
		}, 0, "EOF"},
		"half an answer": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "10")
			io.WriteString(w, "half")
		}, 200, "reading the answer: unexpected EOF"},
		"an endless answer": {func(w http.ResponseWriter, _ *http.Request) {
			w.Write(make([]byte, maxAnswer+1))
		}, 200, fmt.Sprintf("reading the answer: it has more than %d bytes", maxAnswer)},
		"no answer in time": {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, 0, "no answer within 300ms"},
	} {
		t.Run(name, func(t *testing.T) {
			server := serve(t, test.handler)
			for _, keepAlive := range []float64{0, 1} {
				records := run(t, Config{URL: server.URL, Rate: 100, Max: 1, KeepAlive: keepAlive, Timeout: 300 * time.Millisecond, Scenario: Get("/")})
				if r := records[0]; !r.Failed() || r.Status != test.status {
					t.Errorf("keep-alive %v: record %+v, want a failure with status %d", keepAlive, r, test.status)
				}
				if causes := Summarize(records).Causes; causes[test.cause] != 1 {
					t.Errorf("keep-alive %v: causes %v, want %q", keepAlive, causes, test.cause)
				}
			}
		})
	}
}

// reset ends the connection with a TCP reset.
func reset(w http.ResponseWriter, _ *http.Request) {
	connection, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	connection.(*net.TCPConn).SetLinger(0)
	connection.Close()
}

func TestAnUnreachableServiceIsAFailure(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := "http://" + listener.Addr().String()
	listener.Close()
	records := run(t, Config{URL: url, Rate: 100, Max: 3, Scenario: Get("/")})
	if causes := Summarize(records).Causes; causes["dial: connection refused"] != 3 {
		t.Errorf("causes %v, want 3 refused connections", causes)
	}
}

func TestRedirectsAreAnswersAndNotFollowed(t *testing.T) {
	var requests atomic.Int64
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		http.Redirect(w, r, "/elsewhere", http.StatusFound)
	})
	records := run(t, Config{URL: server.URL, Rate: 100, Max: 1, Scenario: Get("/")})
	if records[0].Failed() || records[0].Status != 302 || requests.Load() != 1 {
		t.Errorf("record %+v after %d requests, want status 302 after 1", records[0], requests.Load())
	}
}

// losing answers the first request of each connection and drops the second unanswered, as a service
// does that closes kept connections without warning. It counts the requests that arrived.
func losing(t *testing.T) (url string, arrived *atomic.Int64) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	arrived = new(atomic.Int64)
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer connection.Close()
				reader := bufio.NewReader(connection)
				for n := range 2 {
					request, err := http.ReadRequest(reader)
					if err != nil {
						return
					}
					io.Copy(io.Discard, request.Body)
					arrived.Add(1)
					if n == 0 {
						io.WriteString(connection, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
					}
				}
			}()
		}
	}()
	return "http://" + listener.Addr().String(), arrived
}

func TestALostRequestIsNotSentAgain(t *testing.T) {
	for _, scenario := range []Request{
		{Name: "GET", Method: "GET", Path: "/"},
		{Name: "POST", Method: "POST", Path: "/", Body: "{}"},
	} {
		t.Run(scenario.Name, func(t *testing.T) {
			url, arrived := losing(t)
			records := run(t, Config{URL: url, Rate: 50, Max: 10, KeepAlive: 1, Clients: 1, PerConnection: 100,
				Scenario: func(int) Request { return scenario }})
			if n := arrived.Load(); n != 10 {
				t.Errorf("%d requests arrived, want 10: some were sent again", n)
			}
			if s := Summarize(records); s.Failures < 4 || s.Failures > 5 {
				t.Errorf("%d of 10 requests failed, want every second: %v", s.Failures, s.Causes)
			}
		})
	}
}

// The test above means something only as long as net/http does repeat requests that can be sent again.
func TestGosOwnClientWouldHideTheLoss(t *testing.T) {
	url, arrived := losing(t)
	client := &http.Client{Transport: &http.Transport{}}
	for range 2 {
		response, err := client.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
	}
	if n := arrived.Load(); n != 3 {
		t.Errorf("%d requests arrived for 2 that were sent, want 3", n)
	}
}

func TestAGetLooksLikeAnyGetOnTheWire(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	wire := make(chan string, 1)
	go func() {
		connection, err := listener.Accept()
		if err != nil {
			return
		}
		defer connection.Close()
		var head strings.Builder
		for reader := bufio.NewReader(connection); !strings.HasSuffix(head.String(), "\r\n\r\n"); {
			line, err := reader.ReadString('\n')
			if err != nil {
				break
			}
			head.WriteString(line)
		}
		wire <- head.String()
		io.WriteString(connection, "HTTP/1.1 204 No Content\r\n\r\n")
	}()
	run(t, Config{URL: "http://" + listener.Addr().String(), Rate: 10, Max: 1, KeepAlive: 1, Scenario: Get("/x")})
	want := "GET /x HTTP/1.1\r\nHost: " + listener.Addr().String() + "\r\nUser-Agent: Go-http-client/1.1\r\n\r\n"
	if got := <-wire; got != want {
		t.Errorf("sent %q, want %q", got, want)
	}
}
