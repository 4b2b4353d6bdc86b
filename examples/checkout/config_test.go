package main

import (
	"strings"
	"testing"
	"time"

	"example.com/checkout/internal/pricing"
)

// environment gives a getenv over pairs that make up a valid configuration, changed as asked.
func environment(changes map[string]string) func(string) string {
	values := map[string]string{"TAX_PERCENT": "19", "PAYMENT_KEY": "0123456789abcdef"}
	for name, value := range changes {
		values[name] = value
	}
	return func(name string) string { return values[name] }
}

func TestReadConfigTakesWhatIsGivenAndDefaultsTheRest(t *testing.T) {
	cfg, err := ReadConfig(environment(nil))
	if err != nil {
		t.Fatal(err)
	}
	if want := (pricing.Rules{Currency: "EUR", TaxBasisPoints: 19_00, Shipping: 4_90}); cfg.Rules != want {
		t.Errorf("rules %+v, want %+v", cfg.Rules, want)
	}
	cfg, err = ReadConfig(environment(map[string]string{
		"PORT": "9000", "VERSION": "8f2c1ab", "CURRENCY": "CHF", "TAX_PERCENT": "7.7", "SHIPPING_CENTS": "0", "DRAIN_PERIOD": "1s",
	}))
	if err != nil {
		t.Fatal(err)
	}
	if want := (pricing.Rules{Currency: "CHF", TaxBasisPoints: 7_70}); cfg.Rules != want {
		t.Errorf("rules %+v, want %+v", cfg.Rules, want)
	}
	if cfg.Address != ":9000" || cfg.Version != "8f2c1ab" || cfg.Drain != time.Second {
		t.Errorf("got %+v", cfg)
	}
}

func TestReadConfigNamesEveryProblemAtOnceAndNoSecret(t *testing.T) {
	_, err := ReadConfig(environment(map[string]string{
		"TAX_PERCENT": "101", "SHIPPING_CENTS": "-1", "PAYMENT_KEY": "hunter2", "DRAIN_PERIOD": "soon",
	}))
	if err == nil {
		t.Fatal("a configuration with four problems was accepted")
	}
	for _, variable := range []string{"TAX_PERCENT", "SHIPPING_CENTS", "PAYMENT_KEY", "DRAIN_PERIOD"} {
		if !strings.Contains(err.Error(), variable+": must ") {
			t.Errorf("%s is not named in: %v", variable, err)
		}
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the payment key is in the error: %v", err)
	}
}

func TestParsePercent(t *testing.T) {
	for text, want := range map[string]int64{"0": 0, "19": 19_00, "7.7": 7_70, "8.25": 8_25, "100": 100_00} {
		if got, err := parsePercent(text); err != nil || got != want {
			t.Errorf("parsePercent(%q) = %d, %v; want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", ".5", "-1", "+1", "1.234", "100.01", "19%", "1.-5", "NaN"} {
		if got, err := parsePercent(text); err == nil {
			t.Errorf("parsePercent(%q) = %d, want an error", text, got)
		}
	}
}
