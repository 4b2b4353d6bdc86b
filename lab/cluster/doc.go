// Package cluster is the lab's machinery: a whole Kubernetes with real containers, a registry, an image builder, a monitor
// and a workflow runner on one machine, as child processes that outlive the command that started them.
//
// It refuses to touch what is not its own: every process it kills is known by pid and start time or by its cgroup, its
// addresses come from a range that no network uses (198.18.0.0/15, RFC 2544) and are fenced by a firewall table of its own,
// and a port that another program holds is an error that names the program. Everything it makes lies in one state folder
// that Down removes; only builds are kept, in a cache addressed by content.
//
//	l, err := cluster.Open(cluster.Config{Out: os.Stdout})
//	err = l.Up(ctx)   // idempotent: starts what is missing, heals what died
//	err = l.Stop(ctx, "kube-apiserver", syscall.SIGKILL)
//	err = l.Start(ctx, "kube-apiserver")
package cluster
