// Package failing makes, in the running lab, the ways in which a workload does not come up, and records what Kubernetes
// writes while it happens. A case is a folder below pkg/cluster/testdata/recorded: case.yaml says what is to be concluded,
// manifest.yaml what is applied, changes.yaml what was seen, in the order in which it was seen. The unit tests of pkg/cluster
// judge the recordings; the tests of lab/e2e judge the same cases as they happen.
//
// It refuses to touch a namespace that is not its own. What a case makes outside of it (a policy, a node that has no
// kubelet) bears the namespace in its name, concerns that namespace alone, and is removed with the case.
//
//	cases, err := failing.Load("../pkg/cluster/testdata/recorded")
//	world, err := failing.Start(ctx, w)
//	place, err := world.Make(ctx, namespace, cases[0])
//	defer place.Remove(ctx)
package failing
