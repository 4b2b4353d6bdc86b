// Package secrets looks up the values that differ between environments: secrets in AWS Secrets Manager and parameters in
// AWS Systems Manager Parameter Store.
//
// A manifest template names what it needs ([Ref]); a [Resolver] answers with [Value]s that carry the data and the id of the
// version it was read at. Lookups are deduplicated and batched, several JSON keys of one secret are read from one version,
// and everything that is missing is named in one error. A rollback reads the versions of its release again ([AWS.ResolveAt]).
//
// The package refuses to answer in part: one missing secret fails the whole lookup. It never puts a value, or a piece of
// one, into an error, and [Bytes] prints as "(secret)" whatever the formatting verb.
//
//	store, err := secrets.NewAWS(ctx, "eu-west-1")
//	if err != nil {
//		return err
//	}
//	password := secrets.Ref{Kind: secrets.Secret, ID: "checkout/db", Key: "password"}
//	values, err := store.Resolve(ctx, []secrets.Ref{password})
//	if err != nil {
//		return err // looking up secret "checkout/db": ResourceNotFoundException: …
//	}
//	masks.Add(values[password].Data) // before anything else is done with it; see package mask
package secrets
