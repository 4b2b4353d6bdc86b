package metrics

import (
	"maps"
	"math"
	"slices"
	"time"

	"github.com/prometheus/common/model"
)

// mostPoints is how many points of a series are kept; beyond, every second one goes. A look a second then has points all over a
// step of any length.
const mostPoints = 2048

// point says how much a series had grown by then, since it was first seen.
type point struct {
	at    time.Time
	grown float64
}

// track is what is known of one series.
type track struct {
	labels map[string]string
	// first is its value when it was first seen, raw the one that was seen last, at.
	first, raw float64
	at         time.Time
	points     []point
}

// podHistory is what was seen of one pod, of the metrics that queries read.
type podHistory struct {
	started time.Time
	// read is when each metric was last looked for.
	read   map[string]time.Time
	tracks map[string]map[string]*track // by metric and labels
}

func newPodHistory(started time.Time) *podHistory {
	return &podHistory{started: started, read: map[string]time.Time{}, tracks: map[string]map[string]*track{}}
}

// note adds what the pod said of a metric.
func (h *podHistory) note(name string, at time.Time, samples model.Vector, own map[string]string) {
	before, known := h.read[name]
	h.read[name] = at
	if h.tracks[name] == nil {
		h.tracks[name] = map[string]*track{}
	}
	for _, s := range samples {
		key, value := s.Metric.String(), float64(s.Value)
		if math.IsNaN(value) || math.IsInf(value, 0) {
			continue // refused when it is asked for; nothing can be added to it
		}
		t := h.tracks[name][key]
		if t == nil {
			t = &track{labels: labelsOf(s.Metric, own), first: value, raw: value, points: []point{{at, 0}}}
			if known {
				// The pod was read before and did not have it: it was born since, and all of it has grown.
				t.first, t.points = 0, []point{{before, 0}, {at, value}}
			}
			h.tracks[name][key] = t
		} else {
			t.grow(at, value)
		}
		t.raw, t.at = value, at
	}
}

// grow adds a value. One that is lower than the last began anew at 0, with its container.
func (t *track) grow(at time.Time, value float64) {
	more := value - t.raw
	if more < 0 {
		more = value
	}
	if more == 0 {
		return
	}
	if len(t.points) >= mostPoints {
		kept := t.points[:1]
		for i := 1 + len(t.points)%2; i < len(t.points); i += 2 { // the newest stays
			kept = append(kept, t.points[i])
		}
		t.points = kept
	}
	t.points = append(t.points, point{at, t.points[len(t.points)-1].grown + more})
}

// increase is how much the series grew since the window began. Of a pod that started within the window all is counted; of one
// that was there before and not looked at, what it has grown since the first look.
func (t *track) increase(since, started time.Time) float64 {
	grown := t.points[len(t.points)-1].grown
	if t.points[0].at.After(since) {
		if !started.Before(since) {
			grown += t.first
		}
		return grown
	}
	i, found := slices.BinarySearchFunc(t.points, since, func(p point, at time.Time) int { return p.at.Compare(at) })
	if !found {
		i--
	}
	return grown - t.points[i].grown
}

// labelsOf is a series' own labels and those of its pod, which outrank them: nobody speaks for another release.
func labelsOf(metric model.Metric, own map[string]string) map[string]string {
	labels := map[string]string{}
	for name, value := range metric {
		labels[string(name)] = string(value)
	}
	delete(labels, model.MetricNameLabel)
	maps.Copy(labels, own)
	return labels
}
