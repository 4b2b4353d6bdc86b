package main

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"example.com/checkout/internal/api"
	"example.com/checkout/internal/order"
	"example.com/checkout/internal/pricing"
)

// defaultDrain is how long a stopping process goes on answering. It is
// longer than the time a client usually leaves between two requests on one connection.
const defaultDrain = 3 * time.Second

// minKeyLength keeps a placeholder or an empty line from passing for a payment key.
const minKeyLength = 16

// Config is the service's configuration, as read from its environment.
type Config struct {
	Address string        // PORT, default 8080: where to listen
	Version string        // VERSION: the commit this image was built from, sent as X-Version
	Rules   pricing.Rules // CURRENCY, TAX_PERCENT, SHIPPING_CENTS
	Signer  order.Signer  // PAYMENT_KEY: never printed, logged or sent
	Drain   time.Duration // DRAIN_PERIOD, default 3s
}

// ReadConfig reads the configuration and reports every problem at once. Its
// errors name variables and never hold the value of the payment key.
func ReadConfig(getenv func(string) string) (Config, error) {
	var problems []error
	problem := func(variable, format string, args ...any) {
		problems = append(problems, fmt.Errorf("%s: %s", variable, fmt.Sprintf(format, args...)))
	}
	cfg := Config{
		Address: ":" + cmp.Or(getenv("PORT"), "8080"),
		Version: cmp.Or(getenv("VERSION"), "unknown"),
		Drain:   defaultDrain,
	}
	cfg.Rules.Currency = cmp.Or(getenv("CURRENCY"), "EUR")

	tax, err := parsePercent(getenv("TAX_PERCENT"))
	if err != nil {
		problem("TAX_PERCENT", "%v", err)
	}
	cfg.Rules.TaxBasisPoints = tax

	shipping, err := strconv.ParseInt(cmp.Or(getenv("SHIPPING_CENTS"), "490"), 10, 64)
	if err != nil || shipping < 0 {
		problem("SHIPPING_CENTS", "must be a whole number of cents, 0 or more, but is %q", getenv("SHIPPING_CENTS"))
	}
	cfg.Rules.Shipping = shipping

	key := strings.TrimSpace(getenv("PAYMENT_KEY"))
	if len(key) < minKeyLength {
		problem("PAYMENT_KEY", "must have at least %d characters, but has %d", minKeyLength, len(key))
	}
	cfg.Signer = order.NewSigner([]byte(key))

	if text := getenv("DRAIN_PERIOD"); text != "" {
		if cfg.Drain, err = time.ParseDuration(text); err != nil || cfg.Drain < 0 {
			problem("DRAIN_PERIOD", "must be a duration such as 3s, but is %q", text)
		}
	}
	return cfg, errors.Join(problems...)
}

// Shop gives the part of the configuration that the API answers from.
func (c Config) Shop() api.Shop {
	return api.Shop{Version: c.Version, Rules: c.Rules, Signer: c.Signer}
}

// parsePercent reads "19", "7.7" or "8.25" as basis points (hundredths of a percent), so that
// money is never multiplied by a floating point number.
func parsePercent(text string) (int64, error) {
	whole, fraction, _ := strings.Cut(text, ".")
	if len(fraction) > 2 {
		return 0, fmt.Errorf("must have at most two decimals, but is %q", text)
	}
	points, err := strconv.ParseUint(whole+(fraction + "00")[:2], 10, 32)
	if err != nil || whole == "" || points > 100_00 {
		return 0, fmt.Errorf("must be a percentage from 0 to 100 such as 19 or 7.7, but is %q", text)
	}
	return int64(points), nil
}
