package metrics

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// vector is Prometheus' answer with these values, one series each.
func vector(at time.Time, values ...string) string {
	var series []string
	for i, v := range values {
		series = append(series, fmt.Sprintf(`{"metric":{"pod":"p%d"},"value":[%d.5,%q]}`, i, at.Unix(), v))
	}
	return `{"status":"success","data":{"resultType":"vector","result":[` + strings.Join(series, ",") + `]}}`
}

func TestPrometheusAnswers(t *testing.T) {
	now := time.Now()
	for _, c := range []struct {
		name   string
		status int
		body   string
		want   float64
		fault  Fault  // of the *UnusableError
		text   string // within any other error
	}{
		{name: "a vector of one series is a number", body: vector(now, "12.5"), want: 12.5},
		{name: "a scalar is a number", body: fmt.Sprintf(`{"status":"success","data":{"resultType":"scalar","result":[%d,"3"]}}`, now.Unix()), want: 3},
		{name: "zero is a number", body: vector(now, "0"), want: 0},
		{name: "no series is empty", body: vector(now), fault: Empty},
		{name: "NaN is none", body: vector(now, "NaN"), fault: NotANumber},
		{name: "an infinity is none", body: vector(now, "+Inf"), fault: NotANumber},
		{name: "two series are none", body: vector(now, "1", "2"), fault: Several},
		{name: "an old value is stale", body: vector(now.Add(-10*time.Minute), "1"), fault: Stale},
		{name: "a value from the future is stale too", body: vector(now.Add(10*time.Minute), "1"), fault: Stale},
		{name: "a warning makes it partial", body: strings.Replace(vector(now, "1"), `{"status"`, `{"warnings":["store-2 did not answer"],"status"`, 1), fault: Partial},
		{name: "a range is no number", body: fmt.Sprintf(`{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[%d,"1"]]}]}}`, now.Unix()), fault: WrongKind},
		{name: "a text is no number", body: fmt.Sprintf(`{"status":"success","data":{"resultType":"string","result":[%d,"1"]}}`, now.Unix()), text: "asking Prometheus"},
		{name: "a query that does not parse is its author's", status: 400, body: `{"status":"error","errorType":"bad_data","error":"1:5: parse error: unclosed left parenthesis"}`, fault: WrongKind},
		{name: "401 is denied", status: 401, body: "no", fault: Denied},
		{name: "403 is denied", status: 403, body: "no", fault: Denied},
		{name: "429 is no answer", status: 429, body: "slow down", text: "HTTP 429"},
		{name: "500 is no answer", status: 500, body: "oh", text: "HTTP 500"},
		{name: "503 is no answer", status: 503, body: `{"status":"error","errorType":"timeout","error":"query timed out"}`, text: "HTTP 503"},
		{name: "half an answer is none", body: vector(now, "1")[:40], text: "asking Prometheus"},
		{name: "a page of another server is none", body: "<html>It works!</html>", text: "asking Prometheus"},
		{name: "an empty body is none", body: "", text: "asking Prometheus"},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/prom/api/v1/query" || r.FormValue("query") != `up{a="b"}` || r.FormValue("time") == "" {
					t.Errorf("asked %s with %v", r.URL.Path, r.Form)
				}
				if c.status != 0 {
					w.WriteHeader(c.status)
				}
				fmt.Fprint(w, c.body)
			}))
			defer server.Close()
			p, err := NewPrometheus(PrometheusConfig{URL: server.URL + "/prom/"})
			if err != nil {
				t.Fatal(err)
			}
			s, err := p.Query(t.Context(), `up{a="b"}`, now)
			var unusable *UnusableError
			switch {
			case c.fault != "":
				if !errors.As(err, &unusable) || unusable.Fault != c.fault {
					t.Errorf("got %v, %v; want the fault %q", s, err, c.fault)
				}
			case c.text != "":
				if err == nil || errors.As(err, &unusable) || !strings.Contains(err.Error(), c.text) {
					t.Errorf("got %v, %v; want an error with %q", s, err, c.text)
				}
			case err != nil || s.Value != c.want:
				t.Errorf("got %v, %v; want %v", s, err, c.want)
			}
		})
	}
}

func TestPrometheusThatIsNotThere(t *testing.T) {
	server := httptest.NewServer(nil)
	server.Close()
	p, _ := NewPrometheus(PrometheusConfig{URL: server.URL})
	if _, err := p.Query(t.Context(), "up", time.Now()); err == nil || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("got %v", err)
	}
}

func TestPrometheusURLs(t *testing.T) {
	for _, bad := range []string{"", "prometheus:9090", "ftp://x", "http://", "http://user:hunter2@bad host/"} {
		_, err := NewPrometheus(PrometheusConfig{URL: bad})
		if err == nil {
			t.Errorf("%q was accepted", bad)
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the error shows the password: %v", err)
		}
	}
}

func TestPrometheusCredentialsExcludeEachOther(t *testing.T) {
	for name, cfg := range map[string]PrometheusConfig{
		"a user without a password":  {User: "ada"},
		"a signature and a token":    {SigV4: &SigV4{}, Token: "hunter2"},
		"a certificate without key":  {TLS: TLSConfig{Cert: []byte("hunter2")}},
		"an authority that is none":  {TLS: TLSConfig{CA: []byte("hunter2")}},
		"a key pair that is no pair": {TLS: TLSConfig{Cert: []byte("hunter2"), Key: []byte("hunter2")}},
	} {
		cfg.URL = "https://prometheus.test"
		if _, err := NewPrometheus(cfg); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestPrometheusTakesThePasswordOfItsURL(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "ada" || password != "p@ss" {
			t.Errorf("it came as %s with %s", user, password)
		}
		fmt.Fprint(w, vector(time.Now(), "7"))
	}))
	defer server.Close()
	p, err := NewPrometheus(PrometheusConfig{URL: strings.Replace(server.URL, "://", "://ada:p%40ss@", 1)})
	if err != nil {
		t.Fatal(err)
	}
	if s, err := p.Query(t.Context(), "up", time.Now()); err != nil || s.Value != 7 {
		t.Errorf("got %v, %v", s, err)
	}
}

func TestPrometheusOverTLS(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.TLS.PeerCertificates) == 0 {
			t.Error("it came without a certificate")
		}
		fmt.Fprint(w, vector(time.Now(), "7"))
	}))
	server.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // of the handshakes that fail
	server.StartTLS()
	defer server.Close()
	// Any pair will do for the client: the server's own.
	key, err := x509.MarshalPKCS8PrivateKey(server.TLS.Certificates[0].PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	pair := TLSConfig{CA: ca, Cert: ca, Key: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})}
	for name, c := range map[string]struct {
		tls TLSConfig
		ok  bool
	}{
		"an authority and a pair": {pair, true},
		"no authority":            {TLSConfig{Cert: pair.Cert, Key: pair.Key}, false},
		"no pair":                 {TLSConfig{CA: ca}, false},
	} {
		p, err := NewPrometheus(PrometheusConfig{URL: server.URL, TLS: c.tls})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Query(t.Context(), "up", time.Now()); (err == nil) != c.ok {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestPrometheusKnowsWhatIsMissing(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("query") == "count(known_total)" {
			fmt.Fprint(w, vector(time.Now(), "3"))
			return
		}
		fmt.Fprint(w, vector(time.Now()))
	}))
	defer server.Close()
	p, _ := NewPrometheus(PrometheusConfig{URL: server.URL})
	got, err := p.Missing(t.Context(), `sum(increase(known_total{path="x{y"}[30s])) + sum(unknown_total{a='b['})`, time.Now())
	if err != nil || len(got) != 1 || got[0] != "unknown_total" {
		t.Errorf("got %v, %v", got, err)
	}
}
