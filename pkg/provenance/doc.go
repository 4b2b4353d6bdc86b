// Package provenance says where an image comes from: who built it, from which commit, with which parameters. It makes the
// predicate of SLSA provenance v1 (slsa.dev/spec/v1.0/provenance); signing and storing it is pkg/evidence's.
//
// # The build type
//
// [BuildType] names how to read it. One image is built of one commit's tree by actions/build:
//
//   - externalParameters are what the user chose: repository (URL), commit, ref, context, dockerfile, target, platforms,
//     buildArgs and buildSecrets. The last two are names. No value of either is in here: a secret's must not be known,
//     and an argument's is readable in the image, which is the place to compare it.
//   - internalParameters are what this program chose: builder (buildx, buildctl …), sourceDateEpoch (the commit's time in
//     seconds, which all time stamps in the image are set to) and recipe (the fingerprint in the image's label
//     dev.promote.recipe, which covers the values too).
//   - resolvedDependencies are the source at its commit and, as far as they are known, the base images by digest.
//   - builder.id is the workflow's file at its ref, as GitHub names it: whoever can change that can change the build.
//     builder.version tells which promote it was, and which environment the runner is of: GitHub's or one's own.
//   - metadata has the run's URL with its attempt, and when the build began and ended. So two runs give one digest and two
//     provenances: it is no part of the image.
//
// The package refuses a build that leaves out what a reader decides by, and reports everything that is missing at once.
//
//	predicate, err := provenance.Predicate(provenance.Build{Repository: "https://github.com/team/checkout", Commit: sha, …})
//	… attest predicate with provenance.PredicateType
package provenance
