// Package registries tests pkg/image on registries that differ: Amazon's double, distribution, and go-containerregistry's own.
//
// It has no code of its own; `go test ./registries` in the lab's module runs in seconds and needs nothing that is up. The names
// of Amazon's registries lead to the double through a proxy, so that what is tested is what runs on AWS, down to TLS.
package registries
