package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// contender is one way to get from source to a tag in the registry.
type contender struct {
	name string
	// dir is its own copy of the source, so that nobody's compiler cache is warmed by another's copy.
	dir string
	// prepare comes before each measured build, off the clock.
	prepare func(ctx context.Context) error
	build   func(ctx context.Context) (digest string, err error)

	unchanged, changed []time.Duration
	digests            []string // of unchanged builds
	uploaded           int64    // bytes of blobs in unchanged builds
	differs            string   // set when a changed source, built again, gave another digest
}

// measure runs all contenders in turn, so that a busy moment of the machine meets all of them.
func measure(ctx context.Context, s settings) error {
	work, err := os.MkdirTemp("", "benchbuild-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(work) }()
	r, err := serveRegistry(ctx)
	if err != nil {
		return err
	}
	defer r.close()
	all, err := contenders(ctx, s, r, work)
	if err != nil {
		return err
	}
	for _, c := range all { // warm: compiler caches and the base image are there for everybody
		if err := c.step(ctx, r, nil); err != nil {
			return err
		}
	}
	for round := range s.rounds {
		for _, c := range all {
			if err := c.step(ctx, r, &c.unchanged); err != nil {
				return err
			}
		}
		for i, c := range all {
			// Everybody gets a line that nobody has compiled before.
			if err := change(c.dir, fmt.Sprintf("round %d of contender %d at %d", round, i, time.Now().UnixNano())); err != nil {
				return err
			}
			if err := c.step(ctx, r, &c.changed); err != nil {
				return err
			}
			first := c.digests[len(c.digests)-1]
			if err := c.step(ctx, r, nil); err != nil {
				return err
			}
			if again := c.digests[len(c.digests)-1]; again != first {
				c.differs = fmt.Sprintf("%s, then %s", first, again)
			}
		}
	}
	fmt.Print(table(all))
	return nil
}

// step builds once; into says where the time goes, nil for nowhere.
func (c *contender) step(ctx context.Context, r *images, into *[]time.Duration) error {
	if c.prepare != nil {
		if err := c.prepare(ctx); err != nil {
			return fmt.Errorf("preparing %s: %w", c.name, err)
		}
	}
	before := r.bytes.Load()
	began := time.Now()
	digest, err := c.build(ctx)
	took := time.Since(began)
	if err != nil {
		return fmt.Errorf("building with %s: %w", c.name, err)
	}
	c.digests = append(c.digests, digest)
	if into != nil {
		*into = append(*into, took)
	}
	if into == &c.unchanged {
		c.uploaded += r.bytes.Load() - before
	}
	return nil
}

// marked begins the line that change writes.
const marked = "var _ = func() bool { println("

// change replaces one line of the service's main.go. It is run when the program starts, so that the linker has to see it.
func change(dir, text string) error {
	path := filepath.Join(dir, "main.go")
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	lines := slices.DeleteFunc(strings.Split(strings.TrimRight(string(data), "\n"), "\n"), func(line string) bool {
		return strings.HasPrefix(line, marked)
	})
	lines = append(lines, fmt.Sprintf("%s%q); return true }()", marked, text))
	return os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o644)
}

// table prints medians, and ratios to ko, which is the first.
func table(all []*contender) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-28s %10s %10s %10s %10s\n", "", "unchanged", "of ko", "one line", "of ko")
	ko := all[0]
	for _, c := range all {
		u, o := median(c.unchanged), median(c.changed)
		note := "the same digest each time"
		if c.differs != "" {
			note = "DIFFERENT DIGESTS: " + c.differs
		}
		fmt.Fprintf(&b, "%-28s %9.3fs %10.2f %9.3fs %10.2f   %s; %d bytes uploaded unchanged\n", c.name,
			u.Seconds(), u.Seconds()/median(ko.unchanged).Seconds(), o.Seconds(), o.Seconds()/median(ko.changed).Seconds(), note, c.uploaded)
	}
	fmt.Fprintf(&b, "medians of %d; goals: builder go at most 0.60 of ko in both; the action with a reused tree at most 0.300s and 0 bytes\n", len(ko.changed))
	return b.String()
}

func median(all []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}
