// Package job is what the actions that bring a release out, deploy and canary, have in common: the inputs that say what is to go
// where and what it must have passed, the way to the cluster, and the words for how it ended. What only one of them knows stays
// with that action.
//
// It refuses inputs with every problem at once, before anything is touched, each with the input's name and a fix.
//
//	in := a.Inputs()
//	v := job.Read(in, a.Env(), job.Ways{Example: "test", Concurrency: []string{release.Queue}, Kubeconfig: os.Getenv("KUBECONFIG")})
//	if err := in.Err(); err != nil { return err }
//	deps, req, err := job.Prepare(ctx, a, v, ch, os.Environ())
package job
