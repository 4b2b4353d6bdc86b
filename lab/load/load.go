// Package load sends a constant rate of requests to a service and remembers every answer: what a
// promise like "no request is lost" is measured with.
//
// The load is an open loop: requests leave on time however slowly earlier ones are answered, so a service that
// stalls is seen to stall. It is strict: one request is sent once. Go's transport would silently repeat some
// requests on reused connections; here every such loss is a failure (see client.go). Any status but 2xx and
// 3xx is a failure too, as is an answer that breaks off.
//
// It refuses a load without an end in its rate, number or requests in flight; there are bounds on each.
//
//	run, err := load.Start(ctx, load.Config{URL: url, Rate: 50, KeepAlive: 0.5, Scenario: load.Checkout("EUR"), Log: file})
//	…
//	records, err := run.Stop()
//	fmt.Println(load.Summarize(records))
package load

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"
)

// Run is a load that is being sent.
type Run struct {
	config Config
	sender *sender
	stop   context.CancelFunc
	done   chan struct{} // closed when the last answer is recorded

	mu      sync.Mutex
	records []Record
	logged  error // the first line that could not be written
	lag     time.Duration
}

// Start begins to send. When ctx ends, as after [Run.Stop], no further request is sent; those in flight still
// get their time to be answered, so that the end of a run is never mistaken for a failure.
func Start(ctx context.Context, config Config) (*Run, error) {
	config = config.withDefaults()
	if err := config.validate(); err != nil {
		return nil, fmt.Errorf("starting load: %w", err)
	}
	sending, stop := context.WithCancel(ctx)
	r := &Run{config: config, sender: newSender(config), stop: stop, done: make(chan struct{})}
	go r.send(sending)
	return r, nil
}

// Stop ends the run and returns what Wait returns.
func (r *Run) Stop() ([]Record, error) {
	r.stop()
	return r.Wait()
}

// Wait returns all records, by the time of sending, when the run is over. Its error says that the log
// is not complete.
func (r *Run) Wait() ([]Record, error) {
	<-r.done
	r.mu.Lock()
	defer r.mu.Unlock()
	return inOrder(r.records), r.logged
}

// Records returns what was answered so far, by the time of sending.
func (r *Run) Records() []Record {
	r.mu.Lock()
	defer r.mu.Unlock()
	return inOrder(r.records)
}

// Lag is the longest time by which a request left late: the generator's own fault, and a measure of
// how far its latencies can be believed.
func (r *Run) Lag() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.lag
}

func inOrder(records []Record) []Record {
	return slices.SortedStableFunc(slices.Values(records), func(a, b Record) int { return a.Time.Compare(b.Time) })
}

// send is the open loop: request n leaves at start + n/rate.
func (r *Run) send(ctx context.Context) {
	defer close(r.done)
	defer r.stop()
	defer r.sender.close()
	if r.config.Duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, r.config.Duration)
		defer cancel()
	}
	var answers sync.WaitGroup
	defer answers.Wait()

	slots := make(chan struct{}, r.config.InFlight)
	began := time.Now()
	for n := range r.config.Max {
		due := began.Add(time.Duration(float64(n) / r.config.Rate * float64(time.Second)))
		if !until(ctx, due) {
			return
		}
		request, keep := r.config.Scenario(n), keeps(n, r.config.KeepAlive)
		select {
		case slots <- struct{}{}:
		default:
			r.record(Record{Time: time.Now(), Request: request.Name, KeepAlive: keep,
				Error: fmt.Sprintf("not sent: %d requests are waiting for their answers", r.config.InFlight)})
			continue
		}
		r.late(time.Since(due))
		answers.Go(func() {
			// The end of the run ends the sending alone, see Start.
			r.record(r.sender.send(context.WithoutCancel(ctx), request, keep))
			<-slots
		})
	}
}

// until waits for the time; false when ctx ended before.
func until(ctx context.Context, due time.Time) bool {
	timer := time.NewTimer(time.Until(due))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return ctx.Err() == nil
	}
}

// keeps spreads the share of kept connections evenly, by steps of the golden ratio: unlike every k-th
// request they never fall into step with a scenario that repeats itself.
func keeps(n int, share float64) bool {
	_, fraction := math.Modf(float64(n) * (math.Phi - 1))
	return fraction < share
}

func (r *Run) late(by time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lag = max(r.lag, by)
}

func (r *Run) record(record Record) {
	line, err := json.Marshal(record)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.records = append(r.records, record)
	if err == nil {
		_, err = r.config.Log.Write(append(line, '\n'))
	}
	if err != nil && r.logged == nil {
		r.logged = fmt.Errorf("logging a response: %w", err)
	}
}
