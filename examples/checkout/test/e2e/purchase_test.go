//go:build e2e

package e2e

import (
	"fmt"
	"strings"
	"testing"

	"example.com/checkout/test/client"
)

func TestAPurchaseFromCartToReceipt(t *testing.T) {
	shop := client.New(t)
	config := shop.Configuration()
	cart := fmt.Sprintf(`{"items":[{"sku":"tee","quantity":1},{"sku":"book","quantity":1}],"currency":%q,"discountCode":"WELCOME10"}`, config.Currency)

	placed := shop.Place(cart)
	if placed.Total <= 0 || placed.Currency != config.Currency {
		t.Errorf("placed %+v, want a total in %s", placed, config.Currency)
	}
	if shown := shop.Show(placed.ID); shown != placed {
		t.Errorf("the order changed\nplaced %+v\nshown  %+v", placed, shown)
	}
	if !shop.Verify(placed.ID, placed.Receipt) {
		t.Errorf("the order's own receipt %s is not valid: do all replicas have the same payment key?", placed.Receipt)
	}

	other := shop.Place(cart)
	if other.ID == placed.ID || other.Receipt == placed.Receipt {
		t.Errorf("two purchases share an id or a receipt: %s", placed.ID)
	}
	if shop.Verify(placed.ID, other.Receipt) {
		t.Error("an order was verified with another order's receipt")
	}
}

func TestForgedOrdersAreUnknown(t *testing.T) {
	shop := client.New(t)
	placed := shop.Place(fmt.Sprintf(`{"items":[{"sku":"mug","quantity":1}],"currency":%q}`, shop.Configuration().Currency))
	payload, signature, _ := strings.Cut(placed.ID, ".")
	forged := strings.Repeat("0", len(signature))
	shop.Do("GET", "/orders/"+payload+"."+forged, "", 404)
}

// Several replicas may stand behind the URL, so a counter can only be asked to be
// there and to be above zero on the replica that answers the same connection.
func TestMetricsMove(t *testing.T) {
	shop := client.New(t)
	shop.Place(fmt.Sprintf(`{"items":[{"sku":"mug","quantity":1}],"currency":%q}`, shop.Configuration().Currency))

	metrics := shop.Do("GET", "/metrics", "", 200)
	for _, want := range []string{
		"checkout_build_info{version=\"" + shop.Version + "\"} 1\n",
		"# TYPE http_requests_total counter\n",
		"# TYPE http_request_duration_seconds histogram\n",
		`http_requests_total{method="POST",path="/orders",version="` + shop.Version + `",code="500"} 0` + "\n",
	} {
		if !strings.Contains(metrics, want) {
			t.Errorf("no %q in\n%s", want, metrics)
		}
	}
	if count := `method="POST",path="/orders",version="` + shop.Version + `",code="201"}`; !strings.Contains(metrics, count) {
		t.Errorf("an order was placed, but no series %s in\n%s", count, metrics)
	}
}
