// Package fault stands before the servers that an action talks to and decides, request by request, what becomes of it: it is
// passed on, it is answered with an error, its connection breaks, it hangs, or the action is killed right after the server has
// done what was asked. Requests are counted over all fronts of one [Injector], in the order in which they arrive.
//
//	in := fault.NewInjector(func(r fault.Request) fault.Fault { … })
//	url, err := in.Front(ctx, "https://127.0.0.1:6443", roots)
package fault
