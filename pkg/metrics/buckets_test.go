package metrics

import (
	"errors"
	"testing"
	"time"
)

func TestFold(t *testing.T) {
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	r := ripeness{width: 10 * time.Second, delay: 15 * time.Second, fresh: time.Minute}
	// before gives a bucket by how many seconds before the question it began.
	before := func(seconds int, value float64) bucket {
		return bucket{at.Add(-time.Duration(seconds) * time.Second), value}
	}
	for name, c := range map[string]struct {
		window  time.Duration
		buckets []bucket
		want    float64
		fault   Fault
	}{
		"complete buckets within the window are added up": {time.Minute, []bucket{before(60, 1), before(40, 2), before(25, 4)}, 7, ""},
		"the oldest began before the window":              {time.Minute, []bucket{before(61, 100), before(40, 2)}, 2, ""},
		"the newest is still filling":                     {time.Minute, []bucket{before(40, 2), before(24, 100), before(5, 100)}, 2, ""},
		"a window without a complete bucket is empty":     {20 * time.Second, []bucket{before(40, 2), before(15, 100)}, 0, Empty},
		"no bucket is empty":                              {time.Minute, nil, 0, Empty},
		"a measurement is the newest complete bucket":     {0, []bucket{before(25, 3), before(40, 2), before(10, 100)}, 3, ""},
		"an old measurement is stale":                     {0, []bucket{before(71, 3)}, 0, Stale},
		"a measurement that is still filling is empty":    {0, []bucket{before(20, 3)}, 0, Empty},
	} {
		got, err := r.fold(c.buckets, c.window, at)
		var unusable *UnusableError
		switch {
		case c.fault != "":
			if !errors.As(err, &unusable) || unusable.Fault != c.fault {
				t.Errorf("%s: got %v, %v", name, got, err)
			}
		case err != nil || got.Value != c.want:
			t.Errorf("%s: got %v, %v; want %v", name, got, err, c.want)
		}
	}
}

func TestCutWindow(t *testing.T) {
	for query, want := range map[string]struct {
		query  string
		window time.Duration
	}{
		"sum:a{b:c}.as_count()[37s]":   {"sum:a{b:c}.as_count()", 37 * time.Second},
		"[{\"Id\":\"a\"}] [90s]\n":     {"[{\"Id\":\"a\"}]", 90 * time.Second},
		"avg:a{b:c}":                   {"avg:a{b:c}", 0},
		"a[1m]":                        {"a[1m]", 0},
		"a[99999999999999999999s] [s]": {"a[99999999999999999999s] [s]", 0},
	} {
		if got, window := cutWindow(query); got != want.query || window != want.window {
			t.Errorf("%q: got %q, %s", query, got, window)
		}
	}
}
