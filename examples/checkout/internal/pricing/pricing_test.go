package pricing

import (
	"errors"
	"slices"
	"testing"
)

var rules = Rules{Currency: "EUR", TaxBasisPoints: 19_00, Shipping: 4_90}

func TestPrice(t *testing.T) {
	for name, test := range map[string]struct {
		cart Cart
		want Quote
	}{
		"one article with shipping and tax": {
			cart: Cart{Items: []Line{{"book", 1}}, Currency: "EUR"},
			want: Quote{Currency: "EUR", Subtotal: 12_90, Shipping: 4_90, Tax: 3_38, Total: 21_18},
		},
		"lines of the same article add up": {
			cart: Cart{Items: []Line{{"sticker", 2}, {"sticker", 3}}, Currency: "EUR"},
			want: Quote{Currency: "EUR", Subtotal: 7_50, Shipping: 4_90, Tax: 2_36, Total: 14_76},
		},
		"a discount is taken off the goods, not off the shipping": {
			cart: Cart{Items: []Line{{"mug", 2}}, Currency: "EUR", DiscountCode: "WELCOME10"},
			want: Quote{Currency: "EUR", Subtotal: 17_80, Discount: 1_78, Shipping: 4_90, Tax: 3_97, Total: 24_89},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Price(test.cart, rules)
			if err != nil {
				t.Fatal(err)
			}
			if got != test.want {
				t.Errorf("Price(%+v)\n got %+v\nwant %+v", test.cart, got, test.want)
			}
		})
	}
}

func TestPriceNamesEveryProblemOfACart(t *testing.T) {
	_, err := Price(Cart{
		Items:        []Line{{"yacht", 1}, {"mug", 0}, {"tee", 101}},
		Currency:     "USD",
		DiscountCode: "FREE",
	}, rules)

	var refused *CartError
	if !errors.As(err, &refused) {
		t.Fatalf("Price answered %v, want a *CartError", err)
	}
	want := []string{
		`currency: must be "EUR", but is "USD"`,
		`items[0].sku: no article "yacht", there are book, mug, poster, sticker, tee`,
		`items[1].quantity: must be 1 to 100, but is 0`,
		`items[2].quantity: must be 1 to 100, but is 101`,
		`discountCode: "FREE" is not valid`,
	}
	if !slices.Equal(refused.Problems, want) {
		t.Errorf("problems\n got %q\nwant %q", refused.Problems, want)
	}
}

func TestPriceRefusesEmptyAndEndlessCarts(t *testing.T) {
	for name, items := range map[string][]Line{
		"no line":        nil,
		"too many lines": make([]Line, maxLines+1),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Price(Cart{Items: items, Currency: "EUR"}, rules)
			var refused *CartError
			if !errors.As(err, &refused) || len(refused.Problems) != 1 {
				t.Errorf("Price answered %v, want exactly one problem", err)
			}
		})
	}
}
