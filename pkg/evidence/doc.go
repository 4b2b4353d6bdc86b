// Package evidence says which gates an image has passed, so that nobody can claim it without the key.
//
// A gate is a place a digest has to pass on its way to production: its unit tests, its build, the environments test,
// stage and prod. What happened there is a [Statement]: an in-toto statement about repository@digest, signed (DSSE) with a
// PEM key or AWS KMS, and kept beside the image as a Sigstore bundle, so that `cosign verify-attestation` reads it too.
// [Add] writes one, [Read] reads and verifies all, [Require] decides, purely, whether the gates are passed.
//
// The newest statement of a gate decides: a failure revokes a pass before it, and a pass after that counts again. So that
// clocks need not agree, a writer never dates a statement before one of the same gate that it can see, and each statement
// carries the newest of every gate that its writer saw ([Statement.Previous]). A pass counts only if it is later than every
// failure of its gate, and by more than [Skew] unless it carries that failure. At the same instant the failure decides.
//
// The package refuses:
//
//   - to count what is unsigned, or signed with another key, once a key is configured;
//   - to count or to drop what does not verify: it is a [Record] with a [Problem];
//   - to pass a gate while something that refers to the image cannot be read, for it may be the failure;
//   - values of secrets: a statement names the versions that were read.
//
// Who can push to the registry and has no key can neither pass a gate nor change a statement. What was deleted is missed:
// every later statement remembers the newest of each gate, a failure that is remembered counts as if it were there, and a
// pass that is remembered has to be there. One thing the registry cannot tell by itself: whether a failure was deleted
// together with everything that was written after it. Who must rule that out gives [Require] what another place remembers
// (a commit's status, the cluster's state) as [Requirement.Known]; the newest statement of all suffices. Without a key (see
// [Unsigned]) none of this holds.
//
//	key, err := evidence.OpenKey(ctx, "awskms:///alias/evidence", evidence.KeyOptions{Region: "eu-west-1"})
//	…
//	_, err = evidence.Add(ctx, evidence.Statement{Image: reference, Gate: evidence.Test, Result: evidence.Passed, …}, key)
//	…
//	records, err := evidence.Read(ctx, reference, key)
//	for _, refusal := range evidence.Require(records, evidence.Requirement{Gates: []string{evidence.Test}, Digest: digest}) {
//		fmt.Println(refusal) // refusing gate "test": no statement: …
//	}
package evidence
