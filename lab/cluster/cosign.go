package cluster

import "context"

// Cosign gives the path of the cosign program, which is built the first time and cached like the lab's own programs. It is
// no part of a running lab, so it is not among what Up builds.
func (l *Lab) Cosign(ctx context.Context) (string, error) {
	return l.build(ctx, build{name: "cosign", dir: "cosign", pkg: "github.com/sigstore/cosign/v3/cmd/cosign"})
}
