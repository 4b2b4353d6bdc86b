package gate

import (
	"strings"
	"testing"
	"time"
)

func TestFreeze(t *testing.T) {
	const berlin = "zone: Europe/Berlin\n"
	for _, c := range []struct{ name, text, now, until string }{
		{"nothing is frozen by nothing", "\n# a remark\n", "2026-11-27T12:00:00Z", ""},
		{"always has no end", "always # the audit", "2026-11-27T12:00:00Z", "never"},
		{"a weekend has begun", "Fri 16:00..Mon 08:00", "2026-11-27T16:00:00Z", "2026-11-30T08:00:00Z"},
		{"and is not over on Monday morning", "Fri 16:00..Mon 08:00", "2026-11-30T07:59:00Z", "2026-11-30T08:00:00Z"},
		{"but then", "Fri 16:00..Mon 08:00", "2026-11-30T08:00:00Z", ""},
		{"a week goes on until the next one's day", "Mon 09:00..Mon 08:00", "2026-11-30T09:00:00Z", "2026-12-07T08:00:00Z"},
		{"within a week", "tue 9:00..thu 17:30", "2026-11-25T12:00:00Z", "2026-11-26T17:30:00Z"},
		{"every night", "18:00..08:30", "2026-11-27T23:00:00Z", "2026-11-28T08:30:00Z"},
		{"in the morning too", "18:00..08:30", "2026-11-28T08:29:00Z", "2026-11-28T08:30:00Z"},
		{"not by day", "18:00..08:30", "2026-11-28T12:00:00Z", ""},
		{"whole days, the last too", "2026-12-20..2027-01-02", "2027-01-02T23:59:00Z", "2027-01-03T00:00:00Z"},
		{"and no longer", "2026-12-20..2027-01-02", "2027-01-03T00:00:00Z", ""},
		{"days with times", "2026-12-20T18:00..2027-01-02T08:00", "2026-12-20T17:59:00Z", ""},
		{"a zone is meant for all lines", "16:00..17:00\n" + berlin, "2026-11-27T15:30:00Z", "2026-11-27T16:00:00Z"},
		{"in summer as well", berlin + "16:00..17:00", "2026-07-27T14:30:00Z", "2026-07-27T15:00:00Z"},
		{"a night that has an hour more", berlin + "18:00..08:00", "2026-10-24T20:00:00Z", "2026-10-25T07:00:00Z"},
		{"the one that ends last counts", "18:00..08:00\nFri 16:00..Mon 08:00\n2026-11-27..2026-11-28", "2026-11-27T20:00:00Z", "2026-11-30T08:00:00Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, err := ParseFreeze(c.text)
			if err != nil {
				t.Fatal(err)
			}
			now, err := time.Parse(time.RFC3339, c.now)
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			if frozen := f.At(now); frozen != nil && frozen.Until.IsZero() {
				got = "never"
			} else if frozen != nil {
				got = frozen.Until.UTC().Format(time.RFC3339)
			}
			if got != c.until {
				t.Errorf("frozen until %q, want %q", got, c.until)
			}
		})
	}
}

func TestFreezeSaysWhy(t *testing.T) {
	f, err := ParseFreeze("zone: Europe/Berlin # ours\n2026-12-20..2027-01-02 # the year's end")
	if err != nil {
		t.Fatal(err)
	}
	at := f.At(time.Date(2026, 12, 24, 12, 0, 0, 0, time.UTC))
	if want := "frozen until Sun 2027-01-03 00:00 CET: the year's end (2026-12-20..2027-01-02)"; at == nil || at.String() != want {
		t.Errorf("got %v, want %s", at, want)
	}
}

func TestFreezeRefusesAllAtOnce(t *testing.T) {
	_, err := ParseFreeze("zone: Mars\nnever\nFri 16:00..08:00\n18:00..18:00\n2027-01-02..2026-12-20\nFry 16:00..Mon 08:00\n25:00..26:00")
	for _, want := range []string{`zone "Mars"`, `"never"`, `"Fri 16:00..08:00" begins and ends in different ways`, `"18:00..18:00" ends when it begins`, "ends before it begins", `"Fry`, `"25:00`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %s:\n%v", want, err)
		}
	}
}
