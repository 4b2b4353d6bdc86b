// Package e2e walks through the shop as a customer does, from the cart to the
// receipt, and checks that the shop's own numbers moved. It needs the build tag "e2e" and
// the shop's URL in PROMOTE_URL, places fewer than ten orders and takes a second or two.
package e2e
