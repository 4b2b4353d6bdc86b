package world

import (
	"strings"
	"testing"
)

func TestOnePlayHasTheEnvironments(t *testing.T) {
	w := World{StateDir: t.TempDir()}
	release, err := w.HoldEnvironments()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.HoldEnvironments(); err == nil || !strings.Contains(err.Error(), "another demo plays") {
		t.Errorf("the second has them too: %v", err)
	}
	release()
	again, err := w.HoldEnvironments()
	if err != nil {
		t.Fatalf("they were not given back: %v", err)
	}
	again()
}
