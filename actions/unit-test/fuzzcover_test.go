package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// FuzzCoverage reads hostile files as every kind of coverage. It must end without a panic, and what it gives must make sense.
func FuzzCoverage(f *testing.F) {
	err := filepath.WalkDir(testReports, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		f.Add(data)
		return err
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, read := range []func(io.Reader) (coverage, error){goCover, lcov, cobertura} {
			if c, err := read(bytes.NewReader(data)); err == nil {
				if share := c.tenths(); share < -1 || share > 1000 {
					t.Errorf("a share of %d", share)
				}
			}
		}
	})
}
