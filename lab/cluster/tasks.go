package cluster

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// task is one step of `up`. It runs as soon as all the tasks it comes after have succeeded.
type task struct {
	name  string
	after []string
	// run says whether it started something.
	run func(ctx context.Context) (started bool, err error)
}

// errSkipped is what a task ends with whose forerunner failed: the forerunner's error is the news.
var errSkipped = errors.New("skipped")

// runTasks runs all tasks, each as early as it can, and counts those that started something. It reports every failure, and
// leaves what started running.
func (l *Lab) runTasks(ctx context.Context, tasks []task) (started int, err error) {
	type outcome struct {
		done chan struct{}
		err  error
	}
	outcomes := make(map[string]*outcome, len(tasks))
	for _, t := range tasks {
		outcomes[t.name] = &outcome{done: make(chan struct{})}
	}
	for _, t := range tasks {
		for _, name := range t.after {
			if outcomes[name] == nil {
				return 0, fmt.Errorf("task %q comes after %q, which does not exist", t.name, name)
			}
		}
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for _, t := range tasks {
		wg.Go(func() {
			own := outcomes[t.name]
			defer close(own.done)
			for _, name := range t.after {
				<-outcomes[name].done
				if outcomes[name].err != nil {
					own.err = errSkipped
					return
				}
			}
			began := time.Now()
			did, err := t.run(ctx)
			own.err = err
			if did && err == nil {
				l.say(t.name, "ready, %s", seconds(time.Since(began)))
			}
			if did {
				mu.Lock()
				started++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	var errs []error
	for _, t := range tasks {
		if err := outcomes[t.name].err; err != nil && !errors.Is(err, errSkipped) {
			errs = append(errs, err)
		}
	}
	return started, errors.Join(errs...)
}
