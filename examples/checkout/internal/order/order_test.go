package order

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"example.com/checkout/internal/pricing"
)

var signer = NewSigner([]byte("a key that is only used in tests"))

func place(t *testing.T) Order {
	t.Helper()
	placed, err := Place(signer,
		pricing.Cart{Items: []pricing.Line{{SKU: "mug", Quantity: 2}}, Currency: "EUR"},
		pricing.Quote{Currency: "EUR", Subtotal: 17_80, Total: 17_80},
		time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	return placed
}

func TestOpenReturnsWhatWasPlaced(t *testing.T) {
	placed := place(t)
	opened, err := Open(signer, placed.ID)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(opened, placed) {
		t.Errorf("opened\n got %+v\nwant %+v", opened, placed)
	}
}

func TestOpenRefusesIdsThisShopDidNotSign(t *testing.T) {
	placed := place(t)
	other := NewSigner([]byte("the key of another environment"))
	for name, open := range map[string]func() (Order, error){
		"nothing":              func() (Order, error) { return Open(signer, "") },
		"no signature":         func() (Order, error) { return Open(signer, "e30") },
		"a changed order":      func() (Order, error) { return Open(signer, "x"+placed.ID) },
		"a changed signature":  func() (Order, error) { return Open(signer, placed.ID[:len(placed.ID)-1]+"x") },
		"a receipt as the id":  func() (Order, error) { return Open(signer, "e30."+placed.Receipt) },
		"another shop's order": func() (Order, error) { return Open(other, placed.ID) },
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := open(); !errors.Is(err, ErrUnknown) {
				t.Errorf("Open answered %v, want %v", err, ErrUnknown)
			}
		})
	}
}

func TestVerifyAcceptsOnlyTheOrdersOwnReceipt(t *testing.T) {
	placed := place(t)
	if !Verify(signer, placed.ID, placed.Receipt) {
		t.Error("the order's own receipt was refused")
	}
	if Verify(signer, placed.ID, strings.Repeat("0", len(placed.Receipt))) {
		t.Error("a forged receipt was accepted")
	}
	_, signature, _ := strings.Cut(placed.ID, ".")
	if Verify(signer, placed.ID, signature) {
		t.Error("the id's signature was accepted as a receipt")
	}
}

func TestSignerNeverPrintsItsKey(t *testing.T) {
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if text := fmt.Sprintf(verb, signer); strings.Contains(text, "only used") {
			t.Errorf("%s prints the key: %s", verb, text)
		}
	}
	type config struct{ Signer Signer }
	if text := fmt.Sprintf("%+v", config{signer}); strings.Contains(text, "only used") {
		t.Errorf("a struct around it prints the key: %s", text)
	}
}
