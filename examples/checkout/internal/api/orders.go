package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"example.com/checkout/internal/order"
	"example.com/checkout/internal/pricing"
)

func (a *API) placeOrder(w http.ResponseWriter, r *http.Request) {
	var cart pricing.Cart
	if !a.read(w, r, &cart) {
		return
	}
	quote, err := pricing.Price(cart, a.shop.Rules)
	if err != nil {
		a.refuse(w, err)
		return
	}
	placed, err := order.Place(a.shop.Signer, cart, quote, time.Now())
	if err != nil {
		a.refuse(w, err)
		return
	}
	w.Header().Set("Location", "/orders/"+placed.ID)
	a.answer(w, http.StatusCreated, placed)
}

func (a *API) showOrder(w http.ResponseWriter, r *http.Request) {
	placed, err := order.Open(a.shop.Signer, r.PathValue("id"))
	if err != nil {
		a.refuse(w, err)
		return
	}
	a.answer(w, http.StatusOK, placed)
}

func (a *API) verifyReceipt(w http.ResponseWriter, r *http.Request) {
	var claim struct{ Order, Receipt string }
	if !a.read(w, r, &claim) {
		return
	}
	valid := order.Verify(a.shop.Signer, claim.Order, claim.Receipt)
	a.answer(w, http.StatusOK, map[string]bool{"valid": valid})
}

// read decodes the request's body, or answers 400 and returns false.
func (a *API) read(w http.ResponseWriter, r *http.Request, into any) bool {
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		a.fail(w, http.StatusBadRequest, fmt.Sprintf("reading request: %v", err))
		return false
	}
	return true
}

// refuse answers with the status that an error of the shop stands for.
func (a *API) refuse(w http.ResponseWriter, err error) {
	var cart *pricing.CartError
	switch {
	case errors.As(err, &cart):
		a.fail(w, http.StatusUnprocessableEntity, cart.Problems...)
	case errors.Is(err, order.ErrUnknown):
		a.fail(w, http.StatusNotFound, err.Error())
	default:
		a.log.Error("request failed", "error", err.Error())
		a.fail(w, http.StatusInternalServerError, "internal error")
	}
}

func (a *API) fail(w http.ResponseWriter, status int, problems ...string) {
	a.answer(w, status, map[string][]string{"problems": problems})
}

func (a *API) answer(w http.ResponseWriter, status int, content any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(content); err != nil {
		a.log.Warn("answer not sent", "error", err.Error())
	}
}
