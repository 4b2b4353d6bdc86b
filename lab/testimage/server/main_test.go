package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestAnswersFailWhileTheFileIsThere(t *testing.T) {
	file := filepath.Join(t.TempDir(), "on")
	fails := failing(2, file)
	count := func() (failed int) {
		for n := range int64(10) {
			if fails(n) {
				failed++
			}
		}
		return failed
	}
	if got := count(); got != 0 {
		t.Errorf("%d of 10 fail before the file is there", got)
	}
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := count(); got != 5 {
		t.Errorf("%d of 10 fail while the file is there, want every second one", got)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if got := count(); got != 0 {
		t.Errorf("%d of 10 fail when the file is gone", got)
	}
}

func TestAnswersFailAlwaysWithoutAFile(t *testing.T) {
	if fails := failing(3, ""); fails(0) || fails(1) || !fails(2) {
		t.Error("not every third answer fails")
	}
	if failing(0, "")(0) {
		t.Error("an answer fails that nobody asked to")
	}
}
