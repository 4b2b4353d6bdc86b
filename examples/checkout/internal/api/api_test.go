package api

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"example.com/checkout/internal/order"
	"example.com/checkout/internal/pricing"
)

const paymentKey = "a key that is only used in tests"

func start(t *testing.T) (*API, *httptest.Server) {
	t.Helper()
	shop := New(Shop{
		Version: "v1",
		Rules:   pricing.Rules{Currency: "EUR", TaxBasisPoints: 19_00, Shipping: 4_90},
		Signer:  order.NewSigner([]byte(paymentKey)),
	}, slog.New(slog.DiscardHandler))
	server := httptest.NewServer(shop)
	t.Cleanup(server.Close)
	return shop, server
}

// call sends a request and wants the status; it returns the answer and its body.
func call(t *testing.T, method, url, body string, status int) (*http.Response, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != status {
		t.Fatalf("%s %s answered %d, want %d: %s", method, url, response.StatusCode, status, content)
	}
	return response, string(content)
}

func TestAnOrderCanBePlacedShownAndVerified(t *testing.T) {
	_, server := start(t)
	response, body := call(t, "POST", server.URL+"/orders", `{"items":[{"sku":"mug","quantity":2}],"currency":"EUR"}`, 201)

	var placed order.Order
	if err := json.Unmarshal([]byte(body), &placed); err != nil {
		t.Fatal(err)
	}
	if placed.Total != 27_01 {
		t.Errorf("total is %d, want 2701: %s", placed.Total, body)
	}
	if _, shown := call(t, "GET", server.URL+response.Header.Get("Location"), "", 200); shown != body {
		t.Errorf("shown\n%s\nplaced\n%s", shown, body)
	}
	claim := `{"order":"` + placed.ID + `","receipt":"` + placed.Receipt + `"}`
	if _, verdict := call(t, "POST", server.URL+"/receipts/verify", claim, 200); verdict != "{\"valid\":true}\n" {
		t.Errorf("the order's receipt: %s", verdict)
	}
}

func TestWhatIsRefused(t *testing.T) {
	_, server := start(t)
	for name, test := range map[string]struct {
		method, path, body string
		status             int
		want               string
	}{
		"a cart that cannot be priced": {"POST", "/orders", `{"items":[],"currency":"USD"}`, 422, `must be \"EUR\"`},
		"a body that is no JSON":       {"POST", "/orders", `items`, 400, "reading request"},
		"an unknown field":             {"POST", "/orders", `{"price":1}`, 400, `unknown field`},
		"an endless body":              {"POST", "/orders", `{"currency":"` + strings.Repeat("E", maxBody) + `"}`, 400, "too large"},
		"an order nobody placed":       {"GET", "/orders/e30.0", "", 404, "no such order"},
		"another method":               {"DELETE", "/orders", "", 405, "Method Not Allowed"},
		"another path":                 {"GET", "/nothing", "", 404, "not found"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, body := call(t, test.method, server.URL+test.path, test.body, test.status); !strings.Contains(body, test.want) {
				t.Errorf("answer %q does not contain %q", body, test.want)
			}
		})
	}
}

func TestEveryAnswerNamesItsVersionAndNoneThePaymentKey(t *testing.T) {
	_, server := start(t)
	for path, status := range map[string]int{
		"/version": 200, "/healthz": 200, "/readyz": 200, "/metrics": 200, "/orders/x": 404, "/nothing": 404,
	} {
		response, body := call(t, "GET", server.URL+path, "", status)
		if got := response.Header.Get("X-Version"); got != "v1" {
			t.Errorf("%s: X-Version is %q, want v1", path, got)
		}
		if strings.Contains(body, paymentKey) {
			t.Errorf("%s tells the payment key: %s", path, body)
		}
	}
}

func TestRequestsAreCountedByRouteAndProbesAreNot(t *testing.T) {
	_, server := start(t)
	call(t, "GET", server.URL+"/orders/x", "", 404)
	call(t, "GET", server.URL+"/readyz", "", 200)
	_, body := call(t, "GET", server.URL+"/metrics", "", 200)
	if line := `http_requests_total{method="GET",path="/orders/{id}",version="v1",code="404"} 1`; !strings.Contains(body, line) {
		t.Errorf("no line %s in\n%s", line, body)
	}
	if strings.Contains(body, "readyz") {
		t.Errorf("probes are counted:\n%s", body)
	}
}

func TestDrainingAnswersButSendsClientsAway(t *testing.T) {
	shop, server := start(t)
	shop.Drain()
	response, _ := call(t, "GET", server.URL+"/version", "", 200)
	if !response.Close {
		t.Error("the answer does not close its connection")
	}
	call(t, "GET", server.URL+"/readyz", "", 503)
	call(t, "GET", server.URL+"/healthz", "", 200)
}

func TestAPanicIsCountedAs500(t *testing.T) {
	shop, _ := start(t)
	shop.mux.Handle("GET /panic", shop.count(func(http.ResponseWriter, *http.Request) { panic("bug") }))
	server := httptest.NewServer(shop)
	defer server.Close()

	call(t, "GET", server.URL+"/panic", "", 500)
	_, body := call(t, "GET", server.URL+"/metrics", "", 200)
	if line := `path="/panic",version="v1",code="500"} 1`; !strings.Contains(body, line) {
		t.Errorf("no %s in\n%s", line, body)
	}
}
