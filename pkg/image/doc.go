// Package image builds, pushes, tags and inspects container images.
//
// An image is named by its digest everywhere: repository@sha256:…. Tags are
// labels stuck on a digest afterwards. A build writes an OCI layout on disk;
// [Push] moves that layout to the registry once and puts every tag on the one
// digest, then reads each tag back. So the bytes that were built are the bytes
// that are tagged, whichever builder made them.
//
// What is said about an image is kept beside it: [Attach] pushes an artifact
// that refers to a digest, and [Referrers] reads what does, on registries with
// the referrers API and on those without.
//
// The package refuses:
//
//   - to move a commit's or a tree's tag that holds another digest;
//   - to move a marker back to an image of a commit that came before;
//   - a repository that does not name its registry, or that carries a tag or a
//     digest;
//   - to put a build secret's value on a command line or in an error;
//   - to call a tag done before the registry has answered with its digest, or an
//     artifact attached before the registry lists it;
//   - to read a part of what refers to an image when there is too much of it.
//
// It logs in to Amazon's registries by the AWS credentials that are here, in memory alone, and to others by what docker has.
// [PreflightECR] compares a repository's settings with what promote needs; [DockerLogin] lends a builder the logins.
//
// Builders run as subprocesses, with their own attestations off and every time
// stamp set to the commit's time, so that one commit gives one digest.
//
//	built, err := image.Build(ctx, image.BuildRequest{
//		Context: "/src/checkout", Builder: "auto", Epoch: commitTime, Out: dir,
//	}, log)
//	…
//	pushed, err := image.Push(ctx, built.Layout, "registry.example/checkout", []string{commit, "test"})
//	fmt.Println(image.Reference("registry.example/checkout", pushed.Digest))
package image
