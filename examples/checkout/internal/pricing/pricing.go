// Package pricing works out what a cart costs. It is pure: the same cart and the
// same rules give the same quote. It refuses carts it cannot price, with every
// problem at once ([CartError]), and never rounds money through floating point.
//
//	quote, err := pricing.Price(cart, pricing.Rules{Currency: "EUR", TaxBasisPoints: 19_00, Shipping: 490})
//
// All amounts are whole cents of the quote's currency.
package pricing

// Line is one position of a cart.
type Line struct {
	SKU      string `json:"sku"`
	Quantity int    `json:"quantity"`
}

// Cart is what a customer wants to buy.
type Cart struct {
	Items        []Line `json:"items"`
	Currency     string `json:"currency"`               // must be the shop's
	DiscountCode string `json:"discountCode,omitempty"` // "" for none
}

// Rules are what a shop charges on top of its prices.
type Rules struct {
	Currency       string // ISO 4217
	TaxBasisPoints int64  // hundredths of a percent, on goods and shipping
	Shipping       int64  // per order
}

// Quote is a priced cart.
type Quote struct {
	Currency string `json:"currency"`
	Subtotal int64  `json:"subtotal"` // goods before discount
	Discount int64  `json:"discount"` // taken off the goods
	Shipping int64  `json:"shipping"`
	Tax      int64  `json:"tax"`
	Total    int64  `json:"total"` // subtotal - discount + shipping + tax
}

// catalogue holds the price of one piece of each article.
var catalogue = map[string]int64{
	"book":    12_90,
	"mug":     8_90,
	"poster":  4_90,
	"sticker": 1_50,
	"tee":     19_90,
}

// discounts holds the share of the goods that each code takes off, in basis points.
var discounts = map[string]int64{
	"WELCOME10": 10_00,
	"FRIENDS25": 25_00,
}

// Price quotes the cart, or returns a [*CartError] that lists everything wrong with it.
func Price(cart Cart, rules Rules) (Quote, error) {
	if err := check(cart, rules); err != nil {
		return Quote{}, err
	}
	quote := Quote{Currency: rules.Currency, Shipping: rules.Shipping}
	for _, line := range cart.Items {
		quote.Subtotal += catalogue[line.SKU] * int64(line.Quantity)
	}
	quote.Discount = share(quote.Subtotal, discounts[cart.DiscountCode])
	net := quote.Subtotal - quote.Discount + quote.Shipping
	quote.Tax = share(net, rules.TaxBasisPoints)
	quote.Total = net + quote.Tax
	return quote, nil
}

// share takes basis points of an amount, half a cent rounded up.
func share(amount, basisPoints int64) int64 {
	return (amount*basisPoints + 5_000) / 10_000
}
