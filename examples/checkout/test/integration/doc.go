// Package integration tests a deployed shop piece by piece: is it configured
// as its manifest says, do its prices hold, does it refuse what it must. It
// needs the build tag "integration" and the shop's URL in PROMOTE_URL, places fewer than ten
// orders and takes a second or two.
package integration
