// Package cluster is what promote asks of one Kubernetes namespace: apply, wait, diagnose, move a Service from one release
// to another, drain pods without losing a request, and the lock and the state that let a run be killed at any instant.
//
// It needs no controller, no custom resource and no cluster-wide right; docs/role.yaml is the whole Role. It refuses to take
// fields from another manager, to write after its lock was lost, to delete what it has no UID for and did not make, and to
// work in a namespace that is not the environment it was asked for. An API server that cannot be reached for a while is
// ridden out, not reported.
//
//	c, err := cluster.Connect(cluster.Config{Kubeconfig: path, Namespace: "prod"})
//	if err := c.Preflight(ctx, "prod", kinds); err != nil { return err }
//	lock, err := c.Lock(ctx, "checkout", "run-81-1", cluster.LockOptions{Wait: 10 * time.Minute})
//	defer lock.Release(context.WithoutCancel(ctx))
//	applied, err := c.Apply(lock.Context(), objects)
//	err = c.Wait(lock.Context(), refs, log)                       // fails within seconds, with the cause
//	err = c.Select(lock.Context(), "checkout", onlyTheCandidate) // one patch
package cluster
