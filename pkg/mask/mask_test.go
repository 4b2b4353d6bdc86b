package mask

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/org/promote/pkg/report"
)

func set(values ...string) *Set {
	s := &Set{}
	for _, value := range values {
		s.Add([]byte(value))
	}
	return s
}

// quoted is what an encoder writes, without its quotes.
func quoted(t *testing.T, encode func(any) ([]byte, error), text string) string {
	t.Helper()
	data, err := encode(text)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(data))
}

func TestNothingOfASecretIsLeftHoweverItIsWritten(t *testing.T) {
	for name, secret := range map[string]string{
		"a password":             `s3cr3t-pa_ss*w0rd`,
		"quotes and backslashes": `it's "quoted" \ and \n not a line`,
		"control characters":     "tab\tbell\avertical\vescape\x1bend",
		"unicode":                "pässwörd-日本語-😀-secret",
		"a command":              "::set-output name=result::deployed",
		"percent and return":     "100%25 sure\rsecond half",
		"markup":                 "<b>&amp; | `code` | @all #12 https://user:pass@db.example.com/x?y=1",
		"long, with spaces":      strings.Repeat("correct horse battery staple ", 9) + "end",
		"base64 of something":    base64.StdEncoding.EncodeToString([]byte("another secret of some length")),
		"bytes that are no text": "\xff\xfe\x00binary\x80\x81value",
	} {
		s := set(secret)
		for form, text := range map[string]string{
			"as it is":           secret,
			"base64":             base64.StdEncoding.EncodeToString([]byte(secret)),
			"base64 unpadded":    base64.RawStdEncoding.EncodeToString([]byte(secret)),
			"base64 for URLs":    base64.URLEncoding.EncodeToString([]byte(secret)),
			"hex":                hex.EncodeToString([]byte(secret)),
			"HEX":                fmt.Sprintf("%X", secret),
			"a query":            url.QueryEscape(secret),
			"a path":             url.PathEscape(secret),
			"a Go string":        inner(strconv.Quote(secret)),
			"a Go string in one": inner(strconv.Quote(inner(strconv.Quote(secret)))),
			"Go's ASCII":         inner(strconv.QuoteToASCII(secret)),
			"HTML":               html.EscapeString(secret),
			"Markdown":           report.Escape(secret),
			"a shell's quotes":   strings.ReplaceAll(secret, "'", `'\''`),
		} {
			t.Run(name+" as "+form, func(t *testing.T) {
				if got := s.Text("before" + text + "after"); got != "before***after" {
					t.Errorf("got %q", got)
				}
			})
		}
		if name == "bytes that are no text" {
			continue
		}
		for form, encode := range map[string]func(any) ([]byte, error){"JSON": json.Marshal, "YAML": yaml.Marshal} {
			t.Run(name+" as "+form, func(t *testing.T) {
				text := quoted(t, encode, secret)
				left := strings.NewReplacer("***", "", "\n", "", " ", "", `"`, "", "'", "", "|-", "").Replace(s.Text(text))
				// YAML folds long lines; what is left of one is shorter than a piece.
				if len(left) >= piece {
					t.Errorf("%q leaves %q", text, left)
				}
			})
		}
	}
}

func TestLinesAndLeavesAreSecretsByThemselves(t *testing.T) {
	s := set("first line\r\n  second line\rthird\n", `{"user": "admin", "nested": [{"password": "p4ss\nw0rd", "pin": 12345678901234567890, "on": true}]}`)
	for _, text := range []string{"first line", "second line", "third", "admin", "p4ss", "w0rd", `p4ss\nw0rd`, "12345678901234567890", base64.StdEncoding.EncodeToString([]byte("p4ss\nw0rd"))} {
		if got := s.Text("<" + text + ">"); got != "<***>" {
			t.Errorf("%q is left as %q", text, got)
		}
	}
	for _, text := range []string{"password", "nested", "true", "fourth"} {
		if got := s.Text(text); got != text {
			t.Errorf("%q, which is no secret, is shown as %q", text, got)
		}
	}
}

func TestSecretsThatOverlapGoWhole(t *testing.T) {
	s := set("abcdef", "defghi", "cdef")
	for text, want := range map[string]string{
		"xabcdefy": "x***y", "xabcdefghiy": "x***y", "xcdefghiy": "x***y", "abcdefabcdef": "***", "abcd": "abcd", "": "",
	} {
		if got := s.Text(text); got != want {
			t.Errorf("%q is shown as %q, want %q", text, got, want)
		}
	}
}

func TestAPieceOfALongSecretIsASecret(t *testing.T) {
	var value strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&value, "%x-", i*7919)
	}
	secret := value.String()
	s := set(secret)
	encoded := base64.StdEncoding.EncodeToString([]byte(secret))
	for _, from := range []int{0, 1, 7, 15, 16, 17, 1000, len(secret) - piece} {
		for _, text := range []string{secret[from : from+piece], secret[from:], encoded[from : from+piece], secret[:from+piece]} {
			if got := s.Text("...: " + text + " (cut)"); got != "...: *** (cut)" {
				t.Fatalf("of %d bytes from %d, this is left: %q", len(text), from, got)
			}
		}
	}
	if text := secret[5 : 5+gram]; s.Text(text) != text {
		t.Error("pieces that any text may have are masked")
	}
	t.Run("base64 broken into lines", func(t *testing.T) {
		for line := range slices.Chunk([]byte(encoded[:760]), 76) {
			if got := s.Text(string(line)); got != Hidden {
				t.Errorf("got %q", got)
			}
		}
	})
}

func TestInsideALongerBase64AtEachAlignment(t *testing.T) {
	secret := `p"ss<w>ord & é`
	s := set(secret)
	for _, before := range []string{"", "u", "us", "user:"} {
		for _, after := range []string{"", "@", "@h", "@host"} {
			text := base64.StdEncoding.EncodeToString([]byte(before + secret + after))
			left := strings.ReplaceAll(s.Text(text), Hidden, "")
			if len(left) > len(text)-len(secret) {
				t.Errorf("%q is shown as %q", text, left)
			}
		}
	}
}

func TestBase64ThatIsBrokenIntoLines(t *testing.T) {
	secret := "correct horse battery"
	s := set(secret)
	for width := range 30 {
		width += shortestWrap
		for before := range 80 {
			text := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("#", before) + secret + strings.Repeat("#", 100)))
			for _, newline := range []string{"\n", "\r\n"} {
				var broken strings.Builder
				for line := range slices.Chunk([]byte(text), width) {
					broken.WriteString(string(line) + newline)
				}
				shown := s.Text("<\n" + broken.String() + "\n>")
				left := strings.NewReplacer("\r", "", "\n", "").Replace(shown)
				whole := "<" + s.Text(text) + ">"
				if left != whole {
					t.Fatalf("in lines of %d after %d bytes:\n%s\nis shown as\n%s", width, before, whole, left)
				}
			}
		}
	}
	if text := strings.Repeat("a", 70) + "\n" + strings.Repeat("b", 70) + "\n"; s.Text(text) != text {
		t.Error("lines that hold no secret are changed")
	}
}

func TestWhatACutLeavesOfASecretGoesToo(t *testing.T) {
	s := set("hunter22-horse", "other")
	for text, want := range map[string]string{
		"ended: …r22-horse and more": "ended: …*** and more", "it is hunter22-h…": "it is ***…", "a hunter22... b": "a ***... b", "...orse": "...***",
		"r22-horse":         "r22-horse", // it was not cut
		"…rse, hun...":      "…rse, hun...",
		"…hunter22-horse…":  "…***…",
		"…horse… and other": "…***… and ***",
	} {
		if got := s.Text(text); got != want {
			t.Errorf("%q is shown as %q, want %q", text, got, want)
		}
	}
}

func TestWhatCannotBeMaskedIsTold(t *testing.T) {
	for value, whole := range map[string]bool{
		"": true, "abcd": true, "abc": false, " ab \n": false, "true": false, `{"pin": "123"}`: false, `{"port": 80, "on": "", "x": "long enough"}`: true,
		"{\n  \"a\": \"long enough\"\n}": true,
	} {
		if got := (&Set{}).Add([]byte(value)); got != whole {
			t.Errorf("%q is whole: %t, want %t", value, got, whole)
		}
	}
	s := set("abc", "true", "a\n{\n    }\n\n", "    ")
	for _, text := range []string{"abc true", "{\n    }\n", "        indented", "a"} {
		if got := s.Text(text); got != text {
			t.Errorf("%q is shown as %q: the log is ruined, and nothing is hidden", text, got)
		}
	}
}

func TestLinesAreWhatARunnerCanMask(t *testing.T) {
	got := Lines([]byte("{\"key\": \"-----BEGIN KEY-----\\nabcdef\\n-----END KEY-----\\n\", \"pin\": 1234, \"id\": \"a\"}\n"))
	want := []string{"-----BEGIN KEY-----", "-----END KEY-----", "1234", "abcdef"}
	for _, line := range want {
		if !slices.Contains(got, line) {
			t.Errorf("%q is not among %q", line, got)
		}
	}
	if got := Lines([]byte("two\nlines")); !cmp.Equal(got, []string{"lines"}) {
		t.Errorf("got %q", got)
	}
}

func TestCutLeavesNoHalfOfASecret(t *testing.T) {
	s := set("hunter22")
	for text, want := range map[string]int{"0123456hunter22": 7, "0123456789hunter22": 10, "hunter2201234567": 10, "01hunter22012345": 10, "012345678hunter22": 9} {
		if got := s.Cut(text, 10); got != want {
			t.Errorf("%q is cut at %d, want %d", text, got, want)
		}
	}
}

func TestANilSetHidesNothing(t *testing.T) {
	var s *Set
	if s.Text("text") != "text" || s.Holds("text") || s.Longest() != 0 || s.Cut("text", 2) != 2 {
		t.Error("a nil Set does something")
	}
}

// TestMaskingKeepsUpWithALog: 50 secrets, one of 64 KiB in lines, and a summary of a megabyte.
func TestMaskingKeepsUpWithALog(t *testing.T) {
	s := &Set{}
	start := time.Now()
	for i := range 50 {
		s.Add(fmt.Appendf(nil, "secret number %d with a few words", i))
	}
	var big strings.Builder
	for i := 0; big.Len() < 64<<10; i++ {
		fmt.Fprintf(&big, "%d: %x of a long file of configuration and keys\n", i, i*104729)
	}
	s.Add([]byte(big.String()))
	added := time.Since(start)
	text := strings.Repeat("2026-01-01 12:00:00 a line of a log that has nothing to hide at all\n", 1<<20/68)
	start = time.Now()
	if s.Text(text) != text {
		t.Error("it is masked")
	}
	shown := s.Text(big.String())
	took := time.Since(start)
	t.Logf("adding took %s, a megabyte of text %s", added, took)
	if strings.Contains(shown, "configuration") {
		t.Error("the long secret is shown")
	}
	// Far above what it takes, and far below what one pass per form would take.
	if added > 5*time.Second || took > 5*time.Second {
		t.Errorf("adding took %s, masking %s", added, took)
	}
}
