//go:build integration

package integration

import (
	"os"
	"strings"
	"testing"

	"example.com/checkout/test/client"
)

func TestTheShopIsConfigured(t *testing.T) {
	shop := client.New(t)
	got := shop.Configuration()
	if got.Version == "" || got.Version == "unknown" || got.Version != shop.Version {
		t.Errorf("version is %q and X-Version %q, want the same commit: is VERSION in the manifest?", got.Version, shop.Version)
	}
	if got.PaymentKey != "set" {
		t.Errorf("payment key is %q, want set", got.PaymentKey)
	}
	if got.Currency == "" || got.TaxBasisPoints == 0 {
		t.Errorf("currency %q, tax %d: is the ConfigMap in the manifest?", got.Currency, got.TaxBasisPoints)
	}
}

func TestPricesAddUp(t *testing.T) {
	shop := client.New(t)
	config := shop.Configuration()
	for name, test := range map[string]struct {
		items, code        string
		subtotal, discount int64
	}{
		"one article":         {`[{"sku":"book","quantity":1}]`, "", 12_90, 0},
		"several articles":    {`[{"sku":"mug","quantity":2},{"sku":"sticker","quantity":4}]`, "", 23_80, 0},
		"with a welcome code": {`[{"sku":"mug","quantity":2}]`, "WELCOME10", 17_80, 1_78},
		"with a friends code": {`[{"sku":"poster","quantity":2}]`, "FRIENDS25", 9_80, 2_45},
	} {
		t.Run(name, func(t *testing.T) {
			shop := client.New(t)
			got := shop.Place(`{"items":` + test.items + `,"currency":"` + config.Currency + `","discountCode":"` + test.code + `"}`)
			if got.Subtotal != test.subtotal || got.Discount != test.discount {
				t.Errorf("subtotal %d, discount %d; want %d, %d", got.Subtotal, got.Discount, test.subtotal, test.discount)
			}
			net := test.subtotal - test.discount + config.Shipping
			if tax := (net*config.TaxBasisPoints + 5_000) / 10_000; got.Tax != tax || got.Total != net+tax {
				t.Errorf("tax %d, total %d; want %d, %d (tax is %d basis points)", got.Tax, got.Total, tax, net+tax, config.TaxBasisPoints)
			}
		})
	}
}

func TestTheShopRefusesWhatItCannotSell(t *testing.T) {
	shop := client.New(t)
	body := shop.Do("POST", "/orders", `{"items":[{"sku":"yacht","quantity":1}],"currency":"XXX"}`, 422)
	for _, problem := range []string{"currency", "yacht"} {
		if !strings.Contains(body, problem) {
			t.Errorf("%q is not named in %s", problem, body)
		}
	}
	shop.Do("POST", "/orders", `not JSON`, 400)
	shop.Do("GET", "/orders/forged.0", "", 404)
}

// The version is the commit, when whoever runs the suite says which one.
func TestTheShopRunsTheReleaseUnderTest(t *testing.T) {
	release := os.Getenv("PROMOTE_RELEASE") // <first 7 of the commit>-<hash>
	commit, _, found := strings.Cut(release, "-")
	if !found {
		t.Logf("PROMOTE_RELEASE is %q: nothing to compare with", release)
		return
	}
	shop := client.New(t)
	if got := shop.Configuration().Version; !strings.HasPrefix(got, commit) {
		t.Errorf("version %q answers, want that of release %q", got, release)
	}
}
