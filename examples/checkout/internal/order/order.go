// Package order makes orders out of quotes, and gives them ids and receipts.
//
// There is no database: an order's id is the order itself, signed, so
// that every replica, of this release or another, can show an order that any one of them
// accepted. Ids that this shop did not sign are refused ([ErrUnknown]).
//
//	placed, err := order.Place(signer, cart, quote, time.Now())
//	again, err := order.Open(signer, placed.ID) // the same order
package order

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"example.com/checkout/internal/pricing"
)

// ErrUnknown says that an id names no order of this shop.
var ErrUnknown = errors.New("no such order")

// Order is a cart that was bought.
type Order struct {
	ID      string         `json:"id,omitempty"`      // the rest of the order, signed; safe in a URL
	Receipt string         `json:"receipt,omitempty"` // proves that this shop charged for the order
	Items   []pricing.Line `json:"items"`
	Placed  time.Time      `json:"placed"`
	pricing.Quote
}

// Place makes the order and its receipt.
func Place(signer Signer, cart pricing.Cart, quote pricing.Quote, now time.Time) (Order, error) {
	placed := Order{Items: cart.Items, Placed: now.UTC(), Quote: quote}
	content, err := json.Marshal(placed)
	if err != nil {
		return Order{}, fmt.Errorf("encoding order: %w", err)
	}
	payload := base64.RawURLEncoding.EncodeToString(content)
	placed.ID = payload + "." + signer.sign(purposeID, payload)
	placed.Receipt = signer.sign(purposeReceipt, placed.ID)
	return placed, nil
}

// Open returns the order behind an id, or [ErrUnknown].
func Open(signer Signer, id string) (Order, error) {
	payload, signature, _ := strings.Cut(id, ".")
	if !signer.verify(purposeID, payload, signature) {
		return Order{}, ErrUnknown
	}
	content, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil {
		return Order{}, fmt.Errorf("decoding order: %w", err)
	}
	var placed Order
	if err := json.Unmarshal(content, &placed); err != nil {
		return Order{}, fmt.Errorf("decoding order: %w", err)
	}
	placed.ID, placed.Receipt = id, signer.sign(purposeReceipt, id)
	return placed, nil
}

// Verify tells whether the receipt is the one this shop gave for the order.
func Verify(signer Signer, id, receipt string) bool {
	return signer.verify(purposeReceipt, id, receipt)
}
