package cluster

import (
	"context"
	"errors"
	"sync"
	"time"
)

const (
	// failTogether is how long after the first failure the other objects may still show theirs, so that one report has all.
	failTogether = time.Second
	// diagnosisTime bounds the collection of logs and events; a cancelled run has less than 7.5 s in all.
	diagnosisTime = 5 * time.Second
)

// atOnce are kinds that are as ready as they get when the API server has them.
var atOnce = map[string]bool{
	"ConfigMap": true, "Secret": true, "ServiceAccount": true, "Role": true, "RoleBinding": true, "NetworkPolicy": true, "LimitRange": true,
	"ResourceQuota": true, "PodDisruptionBudget": true, "CronJob": true, "HorizontalPodAutoscaler": true, "Service": true, "Ingress": true, "Endpoints": true,
	"HTTPRoute": true, "GRPCRoute": true,
}

// Wait waits until everything is ready. What will never be ready ends it within seconds, with a [FailedError] that names the
// cause and holds logs and events as they were then; several failures are joined. A context that runs out is a FailedError
// too, with what was still missing. progress gets a line whenever something changes; nil is allowed.
func (c *Cluster) Wait(ctx context.Context, refs []ObjectRef, progress func(string)) error {
	outer := ctx
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	tell := changes(progress)
	errs := make([]error, len(refs))
	var wg sync.WaitGroup
	for i, ref := range refs {
		if atOnce[ref.Kind] {
			continue
		}
		if ref.Namespace == "" {
			ref.Namespace = c.Namespace
		}
		w := &watcher{cluster: c, ref: ref, started: time.Now(), tell: tell(ref), poked: make(chan struct{}, 1), seen: map[string]firstSeen{}}
		wg.Go(func() {
			if errs[i] = w.run(ctx); errs[i] != nil {
				time.AfterFunc(failTogether, cancel)
			}
		})
	}
	wg.Wait()
	return c.outcome(outer, refs, errs)
}

// outcome diagnoses the failures. An object that was only cut short by another's failure has none of its own.
func (c *Cluster) outcome(ctx context.Context, refs []ObjectRef, errs []error) error {
	var real []error
	for i, err := range errs {
		var failed *FailedError
		switch {
		case errors.As(err, &failed):
			look, cancel := context.WithTimeout(context.WithoutCancel(ctx), diagnosisTime)
			failed.Message = c.redact(failed.Message)
			failed.Diagnosis = c.Diagnose(look, refs[i])
			cancel()
			real = append(real, err)
		case err != nil && !errors.Is(err, context.Canceled):
			real = append(real, err)
		}
	}
	if len(real) == 0 && ctx.Err() != nil && errors.Join(errs...) != nil {
		return context.Cause(ctx)
	}
	if len(real) == 1 {
		return real[0]
	}
	return errors.Join(real...)
}

// changes gives each object a progress function that drops lines which say nothing new.
func changes(progress func(string)) func(ObjectRef) func(string) {
	var mu sync.Mutex
	return func(ObjectRef) func(string) {
		last := ""
		return func(line string) {
			mu.Lock()
			defer mu.Unlock()
			if progress != nil && line != last {
				progress(line)
			}
			last = line
		}
	}
}
