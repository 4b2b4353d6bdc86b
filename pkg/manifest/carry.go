package manifest

import (
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// carriers are the functions that take a secret, for the error of those that do not.
const carriers = "print, printf, println, cat, join, quote, squote, indent, nindent, include, trim (not at the edge of a value), " +
	"b64enc, urlquery, toString, int, int64, float64, atoi, default and coalesce (as what they fall back to), ternary, required, " +
	"list, dict, get and set"

// refusal is the error of a function that would work on the placeholder instead of the value.
func refusal(function string) error {
	return fmt.Errorf("%s cannot be applied to a secret or param, because its value is filled in after rendering; "+
		"functions that can: %s", function, carriers)
}

// misprinted is how fmt says that a verb did not fit its argument, or that an argument had no verb.
var misprinted = regexp.MustCompile(`%!.?\(`)

// carried checks that out, made from texts with tokens, has exactly their tokens, and wraps it.
func (l *ledger) carried(function, out string, from ...string) (any, error) {
	var want []string
	for _, text := range from {
		want = append(want, l.tokens.FindAllString(text, -1)...)
	}
	have := l.tokens.FindAllString(out, -1)
	slices.Sort(want)
	slices.Sort(have)
	_, err := l.split(out)
	if err != nil || !slices.Equal(slices.Compact(want), slices.Compact(have)) || misprinted.MatchString(out) {
		return nil, refusal(function)
	}
	return Opaque{text: out}, nil
}

// asText turns the numbers among the tokens of text into their text form: what is quoted or joined is text.
func (l *ledger) asText(text string) string {
	return l.tokens.ReplaceAllStringFunc(text, func(token string) string {
		parts, err := l.split(token)
		if err != nil {
			return token
		}
		form, ok := textForms[parts[0].hole.with]
		if !ok {
			return token
		}
		h := *parts[0].hole
		h.with = form
		return l.mint(h)
	})
}

// convert returns a placeholder for the value of o, converted later.
func (l *ledger) convert(o Opaque, with conversion) Opaque {
	return Opaque{text: l.mint(hole{of: o.text, with: with})}
}

// The errors of a value that does not fit where it should go. None holds the value.
var (
	errNotWhole    = errors.New("the value is not a whole number")
	errNotFraction = errors.New("the value is not a number")
	errBinary      = errors.New("the secret is binary (SecretBinary); take it on purpose with b64enc, into a Secret's data: {{ secret … | b64enc }}")
	errNotText     = errors.New("the value is not text (it has a NUL or is not UTF-8); only b64enc can carry it, into a Secret's data")
)

// number converts a value for int and float64; text says whether it goes into a text.
func number(value string, with conversion) (any, error) {
	value = strings.TrimSpace(value)
	switch with {
	case whole, wholeTxt:
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			return nil, errNotWhole
		}
		if with == wholeTxt {
			return strconv.FormatInt(n, 10), nil
		}
		return n, nil
	default:
		n, err := strconv.ParseFloat(value, 64)
		if err != nil || math.IsInf(n, 0) || math.IsNaN(n) {
			return nil, errNotFraction
		}
		if with == fracTxt {
			return strconv.FormatFloat(n, 'g', -1, 64), nil
		}
		return n, nil
	}
}

// encode converts a value to text.
func encode(value string, with conversion) (string, error) {
	switch with {
	case base64ed:
		return base64.StdEncoding.EncodeToString([]byte(value)), nil
	case escaped:
		return url.QueryEscape(value), nil
	}
	return value, nil
}

// fitsText refuses what neither YAML nor the API server can hold in a string. JSON would replace the bytes in silence.
func fitsText(value string) error {
	if !utf8.ValidString(value) || strings.ContainsRune(value, 0) {
		return errNotText
	}
	return nil
}
