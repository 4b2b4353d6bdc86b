package api

import (
	"io"
	"net/http"

	"example.com/checkout/internal/metrics"
)

// configuration is what /version tells: that there is a payment key, never which.
type configuration struct {
	Version        string `json:"version"`
	Currency       string `json:"currency"`
	TaxBasisPoints int64  `json:"taxBasisPoints"`
	Shipping       int64  `json:"shipping"`
	PaymentKey     string `json:"paymentKey"` // "set": without one the service does not start
}

func (a *API) version(w http.ResponseWriter, _ *http.Request) {
	a.answer(w, http.StatusOK, configuration{
		Version:        a.shop.Version,
		Currency:       a.shop.Rules.Currency,
		TaxBasisPoints: a.shop.Rules.TaxBasisPoints,
		Shipping:       a.shop.Rules.Shipping,
		PaymentKey:     "set",
	})
}

// health says that the process answers at all. It does not change while draining: a
// kubelet that restarts a draining container loses what is in flight.
func (a *API) health(w http.ResponseWriter, _ *http.Request) {
	io.WriteString(w, "ok\n")
}

// ready says whether new requests should come here.
func (a *API) ready(w http.ResponseWriter, _ *http.Request) {
	if a.draining.Load() {
		http.Error(w, "draining", http.StatusServiceUnavailable)
		return
	}
	io.WriteString(w, "ready\n")
}

func (a *API) scrape(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", metrics.ContentType)
	if _, err := a.metrics.WriteTo(w); err != nil {
		a.log.Warn("metrics not sent", "error", err.Error())
	}
}
