package main

import (
	"context"
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	t.Run("lists the verbs when none or a wrong one is given, but not the hidden ones", func(t *testing.T) {
		for _, args := range [][]string{nil, {"upp"}} {
			err := run(context.Background(), args)
			if err == nil || !strings.Contains(err.Error(), "\n  up ") || strings.Contains(err.Error(), "loadbalancer") {
				t.Errorf("%v: got %v", args, err)
			}
		}
	})
	t.Run("names what a verb lacks", func(t *testing.T) {
		for _, args := range [][]string{{"stop"}, {"start"}, {"start", "a", "b"}, {"registry"}, {"loadbalancer"}, {"targets", "a"}, {"show"}} {
			if err := run(context.Background(), args); err == nil || !strings.Contains(err.Error(), "usage: lab "+args[0]) {
				t.Errorf("%v: got %v", args, err)
			}
		}
	})
	t.Run("refuses an environment file of a lab that is not up", func(t *testing.T) {
		t.Setenv("PROMOTE_LAB_DIR", t.TempDir())
		if err := run(context.Background(), []string{"env"}); err == nil || !strings.Contains(err.Error(), "no lab is up") {
			t.Errorf("got %v", err)
		}
	})
}
