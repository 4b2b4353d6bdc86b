package shop

import (
	"os"
	"testing"
)

func TestSum(t *testing.T) {}

func TestFlaky(t *testing.T) {
	if _, err := os.Stat("seen"); err != nil {
		_ = os.WriteFile("seen", nil, 0o600)
		t.Fatal("not yet")
	}
}
