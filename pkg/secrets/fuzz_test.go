package secrets

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/org/promote/pkg/hostile"
)

// mostError bounds an error about a secret, in bytes: it lands in logs, annotations and the first lines of a summary.
const mostError = 4 << 10

// FuzzPick takes a key out of a secret of any bytes: text comes back as it was, and no error holds a value.
func FuzzPick(f *testing.F) {
	for _, text := range hostile.Texts {
		if len(text) < 10_000 {
			f.Add([]byte(text), "key", text)
			f.Add([]byte(`{"`+text+`": "a value that is secret"}`), text, "x")
		}
	}
	f.Add([]byte(`{"key": null, "other": {"a": [1, "deep secret"]}}`), "key", "x")
	f.Add([]byte(`{"key": "a", "key": "b"} {}`), "key", "x")
	f.Add([]byte(`{"key": "\ud800 half"}`), "key", "x")
	f.Add([]byte(`{"`+strings.Repeat("k", 9000)+`": 1}`), "key", "x")
	f.Fuzz(func(t *testing.T, data []byte, key, text string) {
		got, err := pick(data, key)
		switch {
		case err == nil && got == nil:
			t.Error("neither a value nor an error")
		case err == nil && len(got) > 3*len(data): // each byte that is no UTF-8 becomes three
			t.Errorf("%d bytes became %d", len(data), len(got))
		case err != nil:
			shows(t, err, data, key)
		}
		if !utf8.ValidString(text) || !utf8.ValidString(key) {
			return
		}
		object, err := json.Marshal(map[string]any{key: text, key + "2": map[string]string{"a": text}})
		if err != nil {
			t.Fatal(err)
		}
		if back, err := pick(object, key); err != nil || string(back) != text {
			t.Errorf("%q comes back as %q, %v", text, back, err)
		}
		var nested map[string]string
		if back, err := pick(object, key+"2"); err != nil || json.Unmarshal(back, &nested) != nil || nested["a"] != text {
			t.Errorf("an object comes back as %q, %v", back, err)
		}
	})
}

// shows fails the test when an error holds a value of the secret, is longer than it may be, or has more than one line.
func shows(t *testing.T, err error, data []byte, key string) {
	t.Helper()
	said := err.Error()
	if len(said) > mostError || strings.ContainsAny(said, "\n\r\x1b") {
		t.Errorf("the error has %d bytes: %.200q", len(said), said)
	}
	var object map[string]any
	if json.NewDecoder(bytes.NewReader(data)).Decode(&object) != nil {
		if len(data) > 40 && strings.Contains(said, string(data)) {
			t.Errorf("the whole secret stands in %q", said)
		}
		return
	}
	for _, value := range object {
		text, _ := value.(string)
		if len(text) > 20 && strings.Contains(said, text) && !strings.Contains(key, text) && !named(object, text) {
			t.Errorf("a value stands in %q", said)
		}
	}
}

// named says whether a text is a part of a key, which is no secret.
func named(object map[string]any, text string) bool {
	for key := range object {
		if strings.Contains(key, text) {
			return true
		}
	}
	return false
}
