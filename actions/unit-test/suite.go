package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"github.com/org/promote/pkg/tests"
)

// suite is what was run, as far as it decides whether two runs are the same one. The time limit is not in it: what passed
// within one passes within another.
type suite struct {
	Major            int
	Command          string
	WorkingDirectory string // relative to the repository's root, with slashes
	JUnit, Coverage  []string
	// Env are the names that the input test-env has; their values may be secrets, and a hash can be guessed.
	Env []string `json:",omitempty"`
	// Platform is the runner's operating system and architecture.
	Platform string
}

// fingerprint is the same for the same suite and differs for any other: 24 hex digits.
func (s suite) fingerprint() string {
	s.Major = tests.Major
	data, err := json.Marshal(s)
	if err != nil {
		panic(err) // strings and slices of strings always encode
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:12])
}
