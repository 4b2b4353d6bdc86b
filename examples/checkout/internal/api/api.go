// Package api is the shop's HTTP interface.
//
//	POST /orders            places an order: a cart in, a signed order out
//	GET  /orders/{id}       shows an order
//	POST /receipts/verify   tells whether a receipt belongs to an order
//	GET  /version           which version answers, and how it is configured
//	GET  /healthz /readyz   for the kubelet
//	GET  /metrics           for Prometheus
//
// Every answer carries X-Version. Errors are JSON: {"problems": ["…"]}. What the
// shop cannot sell is 422, what it cannot read is 400, what it does not know is 404.
package api

import (
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"example.com/checkout/internal/metrics"
	"example.com/checkout/internal/order"
	"example.com/checkout/internal/pricing"
)

// maxBody is the most bytes a request's body may have: far more than the longest cart.
const maxBody = 64 << 10

// Shop is what the API needs to know.
type Shop struct {
	Version string
	Rules   pricing.Rules
	Signer  order.Signer
}

// API answers requests; see the package's documentation for which.
type API struct {
	shop     Shop
	log      *slog.Logger
	mux      *http.ServeMux
	metrics  *metrics.Metrics
	draining atomic.Bool
}

// New returns an API that is ready at once.
func New(shop Shop, log *slog.Logger) *API {
	a := &API{shop: shop, log: log, mux: http.NewServeMux()}
	counted := map[string]http.HandlerFunc{
		"POST /orders":          a.placeOrder,
		"GET /orders/{id}":      a.showOrder,
		"POST /receipts/verify": a.verifyReceipt,
		"GET /version":          a.version,
	}
	patterns := make([]string, 0, len(counted))
	for pattern, handler := range counted {
		patterns = append(patterns, pattern)
		a.mux.Handle(pattern, a.count(handler))
	}
	a.metrics = metrics.New(shop.Version, patterns...)

	// Probes and scrapes are no customers: counted, they would dilute the share of errors.
	a.mux.HandleFunc("GET /healthz", a.health)
	a.mux.HandleFunc("GET /readyz", a.ready)
	a.mux.HandleFunc("GET /metrics", a.scrape)
	return a
}

// ServeHTTP implements [http.Handler].
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Version", a.shop.Version)
	if a.draining.Load() {
		w.Header().Set("Connection", "close")
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	a.mux.ServeHTTP(w, r)
}

// Drain makes the API ask its clients to leave: it goes on answering, but is
// no longer ready, and closes each connection after its next answer.
func (a *API) Drain() { a.draining.Store(true) }

// count observes a handler's answers, and answers 500 for it when it panics.
func (a *API) count(next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		recorder := &statusRecorder{ResponseWriter: w}
		defer func() {
			if problem := recover(); problem != nil {
				a.log.Error("handler panicked", "pattern", r.Pattern, "problem", fmt.Sprint(problem))
				a.fail(recorder, http.StatusInternalServerError, "internal error")
			}
			a.metrics.Observe(r.Pattern, recorder.code(), time.Since(began))
		}()
		next(recorder, r)
	})
}

// statusRecorder remembers the status that was sent.
type statusRecorder struct {
	http.ResponseWriter
	status int
}

func (s *statusRecorder) WriteHeader(status int) {
	if s.status == 0 {
		s.status = status
	}
	s.ResponseWriter.WriteHeader(status)
}

// code is the status sent; a handler that sends none means 200.
func (s *statusRecorder) code() int {
	if s.status == 0 {
		return http.StatusOK
	}
	return s.status
}
