package pricing

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Limits that keep a quote far from overflow and an order's id short.
const (
	maxLines    = 50
	maxQuantity = 100
)

// CartError says why a cart cannot be priced.
type CartError struct {
	Problems []string // at least one, in the order of the cart
}

func (e *CartError) Error() string {
	return "pricing cart: " + strings.Join(e.Problems, "; ")
}

// check collects everything that is wrong with the cart.
func check(cart Cart, rules Rules) error {
	var problems []string
	problem := func(format string, args ...any) {
		problems = append(problems, fmt.Sprintf(format, args...))
	}
	if cart.Currency != rules.Currency {
		problem("currency: must be %q, but is %q", rules.Currency, cart.Currency)
	}
	if n := len(cart.Items); n == 0 || n > maxLines {
		problem("items: must have 1 to %d lines, but has %d", maxLines, n)
		cart.Items = nil // too many to list what is wrong with each
	}
	for i, line := range cart.Items {
		if _, known := catalogue[line.SKU]; !known {
			problem("items[%d].sku: no article %q, there are %s", i, line.SKU, names(catalogue))
		}
		if line.Quantity < 1 || line.Quantity > maxQuantity {
			problem("items[%d].quantity: must be 1 to %d, but is %d", i, maxQuantity, line.Quantity)
		}
	}
	if _, known := discounts[cart.DiscountCode]; !known && cart.DiscountCode != "" {
		// The valid codes are worth money: unlike articles they are not listed.
		problem("discountCode: %q is not valid", cart.DiscountCode)
	}
	if problems != nil {
		return &CartError{Problems: problems}
	}
	return nil
}

func names(prices map[string]int64) string {
	return strings.Join(slices.Sorted(maps.Keys(prices)), ", ")
}
