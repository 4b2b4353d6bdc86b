package secrets

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// maxKeysShown and maxKeyShown, in bytes, keep an error about a missing key readable when a secret holds a whole configuration.
const maxKeysShown, maxKeyShown = 20, 64

// pick returns what the JSON object in data holds under key: a string's text, any other value as compact JSON. Its errors
// name keys and never quote the data; encoding/json's own errors would ("invalid character 'h' …").
func pick(data []byte, key string) ([]byte, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	var object map[string]json.RawMessage
	if err := decoder.Decode(&object); err != nil || object == nil {
		return nil, errors.New("its value is not a JSON object, so it has no keys")
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("its value is more than one JSON object")
	}
	raw, ok := object[key]
	if !ok {
		return nil, fmt.Errorf("it has no key %s; %s", quoteKey(key), listKeys(object))
	}
	raw = bytes.TrimSpace(raw)
	switch {
	case bytes.Equal(raw, []byte("null")):
		return nil, fmt.Errorf("its key %s is null", quoteKey(key))
	case raw[0] == '"':
		var text string
		if err := json.Unmarshal(raw, &text); err != nil {
			return nil, fmt.Errorf("its key %s is not readable JSON", quoteKey(key))
		}
		return []byte(text), nil
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, raw); err != nil {
		return nil, fmt.Errorf("its key %s is not readable JSON", quoteKey(key))
	}
	return compact.Bytes(), nil
}

func listKeys(object map[string]json.RawMessage) string {
	keys := slices.Sorted(maps.Keys(object))
	if len(keys) == 0 {
		return "it has none"
	}
	more := ""
	if len(keys) > maxKeysShown {
		more = fmt.Sprintf(" and %d more", len(keys)-maxKeysShown)
		keys = keys[:maxKeysShown]
	}
	for i, key := range keys {
		keys[i] = quoteKey(key)
	}
	return "it has " + strings.Join(keys, ", ") + more
}

// quoteKey quotes a key, or the beginning of a long one.
func quoteKey(key string) string {
	if len(key) <= maxKeyShown {
		return strconv.Quote(key)
	}
	return strconv.Quote(key[:maxKeyShown]) + "…"
}
