package gate

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // runners need not know any time zone
)

// Freeze says when nothing new may begin. The zero value never does.
type Freeze struct {
	zone    *time.Location
	windows []window
}

// window is a time at which nothing begins.
type window struct {
	text, reason string
	// from and to are an absolute window; both are zero for one that comes again.
	from, to time.Time
	// begin and end are minutes since Monday, 00:00 (weekly), or since midnight (daily); cycle is how many make it come again, 0 for
	// an absolute window and for one without an end.
	begin, end, cycle int
}

const (
	day  = 24 * 60
	week = 7 * day
)

// ParseFreeze reads windows, one on each line, each with its reason behind a #:
//
//	zone: Europe/Berlin                          # for all lines; UTC without it
//	Fri 16:00..Mon 08:00                         # every week
//	18:00..08:30                                 # every day
//	2026-12-20..2027-01-02                       # whole days, the last one too
//	2026-11-27T12:00..2026-11-30T08:00
//	always                                       # until somebody takes the line away
//
// A window holds its beginning and not its end. Every problem comes at once.
func ParseFreeze(text string) (Freeze, error) {
	f := Freeze{zone: time.UTC}
	var lines []string
	var errs []error
	for line := range strings.Lines(text) {
		zone, is := strings.CutPrefix(strings.TrimSpace(line), "zone:")
		if !is {
			lines = append(lines, line)
			continue
		}
		zone, _, _ = strings.Cut(zone, "#")
		loaded, err := time.LoadLocation(strings.TrimSpace(zone))
		if err != nil || strings.TrimSpace(zone) == "" {
			errs = append(errs, fmt.Errorf("the zone %q is unknown; give a name of the IANA database, for instance Europe/Berlin", strings.TrimSpace(zone)))
			continue
		}
		f.zone = loaded
	}
	for _, line := range lines {
		text, reason, _ := strings.Cut(line, "#")
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		w, err := parseWindow(text, f.zone)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		w.text, w.reason = text, strings.TrimSpace(reason)
		f.windows = append(f.windows, w)
	}
	return f, errors.Join(errs...)
}

// Frozen is a window that holds now.
type Frozen struct {
	// Window is how it was given, Reason why; "" when nobody said.
	Window, Reason string
	// Until is its end; zero when it has none.
	Until time.Time
}

func (f Frozen) String() string {
	text := "frozen"
	if f.Until.IsZero() {
		text += " until somebody ends it"
	} else {
		text += " until " + f.Until.Format("Mon 2006-01-02 15:04 MST")
	}
	if f.Reason != "" {
		text += ": " + f.Reason
	}
	return text + " (" + f.Window + ")"
}

// At gives the window that holds now and ends last; nil when none does.
func (f Freeze) At(now time.Time) *Frozen {
	var found *Frozen
	for _, w := range f.windows {
		until, holds := w.holds(now.In(f.zone))
		if !holds {
			continue
		}
		if found == nil || !found.Until.IsZero() && (until.IsZero() || until.After(found.Until)) {
			found = &Frozen{Window: w.text, Reason: w.reason, Until: until}
		}
	}
	return found
}

// holds says whether now, in the window's zone, is within it, and when it ends.
func (w window) holds(now time.Time) (until time.Time, holds bool) {
	if w.cycle == 0 {
		endless := w.from.IsZero() && w.to.IsZero()
		return w.to, endless || !now.Before(w.from) && now.Before(w.to)
	}
	at := now.Hour()*60 + now.Minute()
	if w.cycle == week {
		at += (int(now.Weekday()) + 6) % 7 * day
	}
	within := at >= w.begin && at < w.end
	if w.end <= w.begin {
		within = at >= w.begin || at < w.end
	}
	if !within {
		return time.Time{}, false
	}
	// By the calendar and not by hours, of which a day may have 23 or 25.
	days := w.end/day - at/day
	until = time.Date(now.Year(), now.Month(), now.Day()+days, w.end%day/60, w.end%60, 0, 0, now.Location())
	if !until.After(now) {
		until = time.Date(now.Year(), now.Month(), now.Day()+days+w.cycle/day, w.end%day/60, w.end%60, 0, 0, now.Location())
	}
	return until, true
}

var (
	weekdays = []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}
	clock    = regexp.MustCompile(`^(?:([A-Za-z]{3}) +)?([01]?\d|2[0-3]):([0-5]\d)$`)
)

const windowHint = "give `Fri 16:00..Mon 08:00`, `18:00..08:30`, `2026-12-20..2027-01-02`, `2026-12-20T18:00..2027-01-02T08:00` or `always`"

func parseWindow(text string, zone *time.Location) (window, error) {
	if text == "always" {
		return window{}, nil
	}
	from, to, ok := strings.Cut(text, "..")
	from, to = strings.TrimSpace(from), strings.TrimSpace(to)
	if !ok {
		return window{}, fmt.Errorf("the window %q is none; %s", text, windowHint)
	}
	if begin, cycle, ok := parseClock(from); ok {
		end, other, ok := parseClock(to)
		switch {
		case !ok || other != cycle:
			return window{}, fmt.Errorf("the window %q begins and ends in different ways; %s", text, windowHint)
		case begin == end:
			return window{}, fmt.Errorf("the window %q ends when it begins; for all the time give `always`", text)
		}
		return window{begin: begin, end: end, cycle: cycle}, nil
	}
	begin, _, errFrom := parseDate(from, zone)
	end, whole, errTo := parseDate(to, zone)
	if errFrom != nil || errTo != nil {
		return window{}, fmt.Errorf("the window %q is none; %s", text, windowHint)
	}
	if whole {
		end = end.AddDate(0, 0, 1)
	}
	if !end.After(begin) {
		return window{}, fmt.Errorf("the window %q ends before it begins", text)
	}
	return window{from: begin, to: end}, nil
}

// parseClock reads a time of the day, or of a day of the week; cycle is how many minutes make it come again.
func parseClock(text string) (minutes, cycle int, ok bool) {
	found := clock.FindStringSubmatch(text)
	if found == nil {
		return 0, 0, false
	}
	at, err := time.Parse("15:04", fmt.Sprintf("%02s:%s", found[2], found[3]))
	if err != nil {
		return 0, 0, false
	}
	minutes = at.Hour()*60 + at.Minute()
	if found[1] == "" {
		return minutes, day, true
	}
	n := slices.Index(weekdays, strings.ToLower(found[1]))
	return n*day + minutes, week, n >= 0
}

// parseDate reads a date, with or without a time; whole says that it is a whole day.
func parseDate(text string, zone *time.Location) (at time.Time, whole bool, err error) {
	if at, err = time.ParseInLocation("2006-01-02", text, zone); err == nil {
		return at, true, nil
	}
	at, err = time.ParseInLocation("2006-01-02T15:04", text, zone)
	return at, false, err
}
