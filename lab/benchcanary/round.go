package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"time"

	generator "github.com/org/promote/lab/load"
)

// scenario is what happens besides the fault.
type scenario struct {
	Name, Title string
	// Killed says that the orchestrator is SIGKILLed at the fault. Peers are started again after a minute, promote is not.
	Killed bool
	// graceful is how long a pod goes on serving when it is told to end.
	graceful time.Duration
}

const (
	orderly = 2 * time.Second
	restart = time.Minute
)

var scenarios = []scenario{
	{Name: "fault", Title: "half of the candidate's answers become 500", graceful: orderly},
	{Name: "killed", Title: "the same, and the orchestrator is SIGKILLed at that moment; the peers' is started again after 60 s, promote's never", Killed: true, graceful: orderly},
	{Name: "abrupt", Title: "as the first, with a service that ends the moment it is told to"},
}

// The times of a round. A look is preceded by as much traffic as its window is long, so the peers' first look is behind when the
// fault comes, and the fault is as likely at any moment between two looks.
const (
	rate  = 50
	warm  = 3 * time.Second
	lead  = 5 * time.Second
	after = 3 * time.Second
	// patience is with everything that is awaited: on a busy machine eight pods take minutes. A candidate that still serves then
	// will do so for ever.
	patience = 5 * time.Minute
)

// play lets the contenders take turns.
func (w *world) play(ctx context.Context, s scenario) ([]outcome, error) {
	made := len(w.undo)
	defer func() { w.undoDownTo(ctx, made) }()
	all, err := w.contenders(ctx, s)
	if err != nil {
		return nil, err
	}
	var outcomes []outcome
	for round, phase := range moments(w.seed, w.runs) {
		for _, c := range all {
			o, err := c.round(ctx, s, fmt.Sprintf("v%d", round+1), phase)
			if err != nil {
				return nil, c.tell(fmt.Errorf("round %d: %w", round+1, err))
			}
			o.Round = round + 1
			outcomes = append(outcomes, o)
			progress("%s, round %d of %d, %s: %s", s.Name, round+1, w.runs, c.name, o)
		}
	}
	return outcomes, nil
}

// moments are the phases of the rounds: one from each of so many parts of the interval, in random order. Few rounds that were drawn
// from all of it could by chance all come right before a look, or right after.
func moments(seed uint64, runs int) []time.Duration {
	random := rand.New(rand.NewPCG(seed, 0))
	all := make([]time.Duration, runs)
	for i := range all {
		all[i] = time.Duration((float64(i) + random.Float64()) / float64(runs) * float64(interval))
	}
	random.Shuffle(runs, func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

func progress(format string, args ...any) {
	fmt.Fprintf(os.Stderr, time.Now().Format(time.TimeOnly)+" "+format+"\n", args...)
}

// round brings a version out that goes bad at a moment after it began to be judged, and waits until it is gone.
func (c *contender) round(ctx context.Context, s scenario, version string, phase time.Duration) (outcome, error) {
	url, err := c.url(ctx)
	if err != nil {
		return outcome{}, err
	}
	load, err := generator.Start(ctx, generator.Config{URL: url, Rate: rate, KeepAlive: 0.5, Clients: 5, PerConnection: 5, Scenario: generator.Get("/")})
	if err != nil {
		return outcome{}, err
	}
	defer func() { _, _ = load.Stop() }()
	// promote looks at the baseline before it moves traffic, so there has to be some.
	if err := pause(ctx, warm); err != nil {
		return outcome{}, err
	}
	if err := c.roll(ctx, version, half); err != nil {
		return outcome{}, err
	}
	if err := await(ctx, patience, "the candidate is judged", c.judges); err != nil {
		return outcome{}, err
	}
	if err := pause(ctx, lead+phase); err != nil {
		return outcome{}, err
	}
	if ready, err := c.judges(ctx); !ready {
		return outcome{}, fmt.Errorf("the candidate is not judged any more before the fault: %w", err)
	}
	began, err := c.breakDown(s)
	if err != nil {
		return outcome{}, err
	}
	if err := c.untilSafe(ctx, s, began, version); err != nil {
		return outcome{}, err
	}
	if err := pause(ctx, after); err != nil {
		return outcome{}, err
	}
	records, err := load.Stop()
	if err != nil {
		return outcome{}, err
	}
	if err := c.at.heal(); err != nil {
		return outcome{}, err
	}
	o := evaluate(records, version, began)
	o.Contender, o.Scenario, o.Phase = c.name, s.Name, phase.Seconds()
	return o, c.rest(ctx)
}

// breakDown begins the fault, and kills the orchestrator where the scenario says so.
func (c *contender) breakDown(s scenario) (began time.Time, err error) {
	began = time.Now()
	if err := c.at.fail(); err != nil {
		return began, err
	}
	if s.Killed {
		c.works.kill()
	}
	return began, nil
}

// untilSafe waits until no pod of the candidate is left; peers that were killed are started again meanwhile.
func (c *contender) untilSafe(ctx context.Context, s scenario, began time.Time, version string) error {
	if s.Killed && c.restart != nil {
		if err := pause(ctx, time.Until(began.Add(restart))); err != nil {
			return err
		}
		if err := c.restart(); err != nil {
			return err
		}
	}
	return await(ctx, patience, "no pod of the candidate is left", func(ctx context.Context) (bool, error) {
		all, _, err := c.at.pods(ctx, version)
		return err == nil && all == 0, err
	})
}

// pause lets time go by: the moment of the fault is a time, no condition.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}
