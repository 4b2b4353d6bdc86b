// Package sbom lists what an image is made of: a bill of materials in CycloneDX 1.6, as the predicate of an attestation.
//
// It reads what package managers leave in an image and what Go programs carry in themselves: Go modules (debug/buildinfo), the
// package databases of Debian (also the status.d of distroless images) and Alpine, Python's dist-info and egg-info, and the package.json
// below node_modules. Each component has a package URL and the files that tell of it. A package that a later layer removes
// is none.
//
// The same image gives the same bytes: the time is that of the image's config, the serial number is made of the digest, and
// everything is sorted. It never touches the image, so the digest stays what it was.
//
// It refuses to guess: what no database tells of (a file that was copied or compiled from another language) is not in it, nor
// are RPM databases, Java archives, gems and crates.
//
// CycloneDX rather than SPDX, because its Go library is the one that is looked after most, and because its module ships the
// JSON schema that a test can hold the output against.
//
//	bill, err := sbom.Make(ctx, img, "registry.example/team/checkout", contents.Limits{})
//	… attest bill with sbom.PredicateType
package sbom
