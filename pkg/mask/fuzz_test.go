package mask

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/org/promote/pkg/hostile"
)

// FuzzForms makes any bytes a secret: no form of it is left of a text, and what the forms take stays in proportion to the secret.
func FuzzForms(f *testing.F) {
	for _, text := range hostile.Texts {
		if len(text) < 2000 {
			f.Add([]byte(text), "before", "after")
			f.Add([]byte("a secret"), text, text)
		}
	}
	f.Add([]byte(`{"user": "admin", "nested": [{"password": "p4ss\nw0rd", "pin": 12345678901234567890}]}`), "", "…")
	f.Add([]byte("-----BEGIN KEY-----\nabcdef\n-----END KEY-----\n"), "'", "'")
	f.Add([]byte("\xff\xfe\x00binary\x80\x81value"), "\xff", "\xff")
	f.Fuzz(func(t *testing.T, value []byte, before, after string) {
		if len(value) > 4<<10 || strings.Contains(string(value), "*") {
			return // a star could be made of what hides another
		}
		s := &Set{}
		s.Add(value)
		total := 0
		for _, form := range Forms(value) {
			total += len(form)
			if len(form) < shortest || !s.Holds(form) {
				t.Errorf("%q is no form", form)
			}
			if got := s.Text(form); got != Hidden {
				t.Errorf("%q is shown as %q", form, got)
			}
			if got := s.Text(before + form + after); strings.Contains(got, form) {
				t.Errorf("%q is left in %q", form, got)
			}
		}
		if total > 2000*len(value) {
			t.Errorf("the forms of %d bytes have %d", len(value), total)
		}
		trimmed := strings.TrimSpace(string(value))
		if !maskable(trimmed) {
			return
		}
		texts := []string{trimmed, base64.StdEncoding.EncodeToString(value)}
		if utf8.Valid(value) {
			quoted, err := json.Marshal(string(value))
			if err != nil {
				t.Fatal(err)
			}
			texts = append(texts, string(quoted[1:len(quoted)-1]))
		}
		for _, text := range texts {
			if got := s.Text("<" + text + ">"); strings.Contains(got, text) {
				t.Errorf("%q is left in %q", text, got)
			}
		}
		for _, line := range Lines(value) {
			if strings.ContainsAny(line, "\r\n") || !s.Holds(line) {
				t.Errorf("the runner is told %q", line)
			}
		}
		if at := s.Cut(before+trimmed+after, len(before)+2); at < 0 || at > len(before)+2 {
			t.Errorf("it is cut at %d", at)
		}
	})
}
