package load

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync/atomic"
)

// Request is one request of a scenario.
type Request struct {
	Name         string // for records; "POST /orders" rather than a path with an id in it
	Method, Path string
	Body         string            // JSON; "" for none
	Answered     func(body []byte) // gets a good answer's body; may be nil; called concurrently
}

// Scenario gives the n-th request, n from 0. It is called for one request after another, never concurrently.
type Scenario func(n int) Request

// Get requests one path over and over.
func Get(path string) Scenario {
	request := Request{Name: "GET " + path, Method: http.MethodGet, Path: path}
	return func(int) Request { return request }
}

// skus and codes are what the customers of [Checkout] want, in turns.
var (
	skus  = []string{"book", "mug", "poster", "sticker", "tee"}
	codes = []string{"", "WELCOME10", ""}
)

// Checkout is a day at the shop in examples/checkout: every second request places an order, the others look
// at the latest order that was placed. Which article, how many and which discount code changes from order to order.
func Checkout(currency string) Scenario {
	var latest atomic.Pointer[string]
	return func(n int) Request {
		if id := latest.Load(); n%2 == 1 && id != nil {
			return Request{Name: "GET /orders/{id}", Method: http.MethodGet, Path: "/orders/" + *id}
		}
		cart := fmt.Sprintf(`{"items":[{"sku":%q,"quantity":%d}],"currency":%q,"discountCode":%q}`,
			skus[n%len(skus)], 1+n%4, currency, codes[n%len(codes)])
		return Request{Name: "POST /orders", Method: http.MethodPost, Path: "/orders", Body: cart, Answered: func(body []byte) {
			var order struct{ ID string }
			if json.Unmarshal(body, &order) == nil && order.ID != "" {
				latest.Store(&order.ID)
			}
		}}
	}
}
