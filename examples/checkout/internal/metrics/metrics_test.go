package metrics

import (
	"strings"
	"testing"
	"time"
)

func text(t *testing.T, m *Metrics) string {
	t.Helper()
	var out strings.Builder
	if _, err := m.WriteTo(&out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func wantLines(t *testing.T, got string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if !strings.Contains(got, line+"\n") {
			t.Errorf("no line %s in\n%s", line, got)
		}
	}
}

func TestErrorsAreCountedFromZero(t *testing.T) {
	wantLines(t, text(t, New("v1", "POST /orders")),
		`checkout_build_info{version="v1"} 1`,
		`http_requests_total{method="POST",path="/orders",version="v1",code="500"} 0`)
}

func TestObserveCountsByCodeAndLatency(t *testing.T) {
	m := New("v1")
	m.Observe("GET /orders/{id}", 200, 2*time.Millisecond)
	m.Observe("GET /orders/{id}", 200, 30*time.Millisecond)
	m.Observe("GET /orders/{id}", 404, time.Minute)

	const labels = `method="GET",path="/orders/{id}",version="v1"`
	wantLines(t, text(t, m),
		`http_requests_total{`+labels+`,code="200"} 2`,
		`http_requests_total{`+labels+`,code="404"} 1`,
		`http_request_duration_seconds_bucket{`+labels+`,le="0.001"} 0`,
		`http_request_duration_seconds_bucket{`+labels+`,le="0.0025"} 1`,
		`http_request_duration_seconds_bucket{`+labels+`,le="0.05"} 2`,
		`http_request_duration_seconds_bucket{`+labels+`,le="10"} 2`,
		`http_request_duration_seconds_bucket{`+labels+`,le="+Inf"} 3`,
		`http_request_duration_seconds_sum{`+labels+`} 60.032`,
		`http_request_duration_seconds_count{`+labels+`} 3`)
}

func TestLabelsOfUnusualVersionsAreEscaped(t *testing.T) {
	wantLines(t, text(t, New("a\"b\\c\nd")), `checkout_build_info{version="a\"b\\c\nd"} 1`)
}
