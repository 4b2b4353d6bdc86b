// Package arch holds the architecture: its tests fail when a package imports what it must not. The rules are those of the
// design: dependencies point from actions to pkg, actions never import each other, packages that decide import no client
// library, one SDK has one home, and libraries touch neither the process's environment nor its output.
//
// It refuses exceptions that are not written down in the tables of its test, each with its reason:
//
//	go test ./internal/arch
package arch
