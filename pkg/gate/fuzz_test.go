package gate

import "testing"

// FuzzParseFreeze reads windows of any text: none may panic, and what reads must read again.
func FuzzParseFreeze(f *testing.F) {
	f.Add("zone: Europe/Berlin\nFri 16:00..Mon 08:00 # rest\n18:00..08:30\n2026-12-20..2027-01-02\n2026-11-27T12:00..2026-11-30T08:00\nalways")
	f.Add("zone: ../../etc/passwd")
	f.Add("24:00..00:00\nXyz 99:99..Mon -1:00\n9999-99-99..0000-00-00")
	f.Fuzz(func(t *testing.T, text string) {
		first, err := ParseFreeze(text)
		if err != nil {
			return
		}
		if _, err := ParseFreeze(text); err != nil {
			t.Errorf("read as %v, and then as %v", first, err)
		}
	})
}
