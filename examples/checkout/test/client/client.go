// Package client is the strict HTTP client of the test suites: it waits for no
// retry to save the day, wants exactly the status it is told, and says
// everything about an answer it did not expect. The service's URL is PROMOTE_URL.
//
//	shop := client.New(t)
//	placed := shop.Place(`{"items":[{"sku":"mug","quantity":1}],"currency":"EUR"}`)
package client

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

// timeout bounds one request; a shop that takes longer has failed.
const timeout = 5 * time.Second

// Client talks to one deployed shop and fails its test on the first surprise.
type Client struct {
	t   testing.TB
	url string
	// Version is the X-Version of the latest answer.
	Version string
}

// New takes the shop's URL from PROMOTE_URL and fails the test when there is none:
// a suite that silently tests nothing would pass everywhere.
func New(t testing.TB) *Client {
	t.Helper()
	url := strings.TrimSuffix(os.Getenv("PROMOTE_URL"), "/")
	if url == "" {
		t.Fatal("PROMOTE_URL is not set: this suite tests a running service, " +
			"e.g. PROMOTE_URL=http://127.0.0.1:8080 go test -tags integration,e2e ./test/...")
	}
	return &Client{t: t, url: url}
}

// Order is an order as the shop shows it; amounts are cents.
type Order struct {
	ID, Receipt, Currency                    string
	Subtotal, Discount, Shipping, Tax, Total int64
}

// Configuration is what the shop tells about itself.
type Configuration struct {
	Version, Currency, PaymentKey string
	TaxBasisPoints, Shipping      int64
}

// Do sends a request, wants the status, and returns the body.
func (c *Client) Do(method, path, body string, status int) string {
	c.t.Helper()
	request, err := http.NewRequestWithContext(c.t.Context(), method, c.url+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	response, err := (&http.Client{Timeout: timeout}).Do(request)
	if err != nil {
		c.t.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		c.t.Fatalf("%s %s: reading the answer: %v", method, path, err)
	}
	c.Version = response.Header.Get("X-Version")
	if response.StatusCode != status {
		c.t.Fatalf("%s %s answered %s, want %d\nversion  %s\nrequest  %s\nanswer   %s",
			method, path, response.Status, status, c.Version, body, content)
	}
	return string(content)
}

// Place orders the cart, given as JSON.
func (c *Client) Place(cart string) Order {
	c.t.Helper()
	return decode[Order](c, c.Do("POST", "/orders", cart, http.StatusCreated))
}

// Show returns an order by its id.
func (c *Client) Show(id string) Order {
	c.t.Helper()
	return decode[Order](c, c.Do("GET", "/orders/"+id, "", http.StatusOK))
}

// Verify tells what the shop says about a receipt.
func (c *Client) Verify(id, receipt string) bool {
	c.t.Helper()
	claim, err := json.Marshal(map[string]string{"order": id, "receipt": receipt})
	if err != nil {
		c.t.Fatal(err)
	}
	return decode[struct{ Valid bool }](c, c.Do("POST", "/receipts/verify", string(claim), http.StatusOK)).Valid
}

// Configuration returns what the shop tells about itself.
func (c *Client) Configuration() Configuration {
	c.t.Helper()
	return decode[Configuration](c, c.Do("GET", "/version", "", http.StatusOK))
}

func decode[T any](c *Client, body string) (value T) {
	c.t.Helper()
	if err := json.Unmarshal([]byte(body), &value); err != nil {
		c.t.Fatalf("decoding the answer: %v\n%s", err, body)
	}
	return value
}
