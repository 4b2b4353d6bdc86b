package metrics

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// The few words of PromQL that pods know. Each matches at the start of what is left.
var (
	podFunction = regexp.MustCompile(`^(sum|avg|min|max)\(\s*(increase\(\s*)?`)
	podSelector = regexp.MustCompile(`^([A-Za-z_:][A-Za-z0-9_:]*)\s*(\{(?:[^"}]|"(?:[^"\\]|\\.)*")*\})?\s*`)
	podRange    = regexp.MustCompile(`^\[(\d{1,9})s\]\s*`)
	podMatcher  = regexp.MustCompile(`^\s*([A-Za-z_][A-Za-z0-9_]*)\s*(=~|!~|!=|=)\s*("(?:[^"\\]|\\.)*")\s*(,|$)`)
	podSign     = regexp.MustCompile(`^\s*([+-])\s*`)
)

// podForms is what a person can write instead of what was refused.
const podForms = `there are sum(increase(name{label="value"}[$window])) and sum, avg, min or max(name{label="value"}), with + and - between them`

// podTerm is one number of a query.
type podTerm struct {
	sign float64
	// function is sum, avg, min, max, or "" for the one series that there is.
	function string
	name     string
	matchers []podMatch
	// window is 0 for what is, and else for what was added within it.
	window time.Duration
}

// podMatch is a condition on a label.
type podMatch struct {
	label, op, value string
	pattern          *regexp.Regexp
}

// parsePodQuery reads a query; what it can't evaluate it refuses by its name. All terms are about one release.
func parsePodQuery(query string) (release string, terms []podTerm, err error) {
	rest, sign := strings.TrimSpace(query), 1.0
	for {
		term, after, err := parsePodTerm(rest)
		if err != nil {
			return "", nil, err
		}
		next := podSign.FindStringSubmatch(after)
		if after != "" && next == nil {
			return "", nil, wrongKind("pods can't read %q; %s", query, podForms)
		}
		term.sign = sign
		terms = append(terms, term)
		of := term.release()
		if of == "" || release != "" && of != release {
			return "", nil, wrongKind(`each %s must have release="$release" among its labels: it says whose pods are asked`, term.name)
		}
		release = of
		if after == "" {
			return release, terms, nil
		}
		sign = map[string]float64{"+": 1, "-": -1}[next[1]]
		rest = after[len(next[0]):]
	}
}

func parsePodTerm(text string) (term podTerm, after string, err error) {
	rest, closing := text, 0
	if m := podFunction.FindStringSubmatch(rest); m != nil {
		term.function = m[1]
		closing, rest = 1, rest[len(m[0]):]
		if m[2] != "" {
			closing++
		}
	}
	m := podSelector.FindStringSubmatch(rest)
	if m == nil {
		return term, "", wrongKind("pods can't read %q; %s", text, podForms)
	}
	term.name, rest = m[1], rest[len(m[0]):]
	if strings.HasPrefix(rest, "(") {
		return term, "", wrongKind("pods do not know %s(); %s", term.name, podForms)
	}
	if term.matchers, err = parsePodMatchers(m[2]); err != nil {
		return term, "", err
	}
	if m := podRange.FindStringSubmatch(rest); m != nil {
		seconds, _ := strconv.Atoi(m[1])
		term.window, rest = time.Duration(seconds)*time.Second, rest[len(m[0]):]
	}
	counts := closing == 2
	if counts != (term.window > 0) || counts && term.function != "sum" {
		return term, "", wrongKind("pods can't evaluate %q; %s", text, podForms)
	}
	for range closing {
		trimmed, ok := strings.CutPrefix(strings.TrimSpace(rest), ")")
		if !ok {
			return term, "", wrongKind("pods can't read %q; %s", text, podForms)
		}
		rest = trimmed
	}
	return term, strings.TrimSpace(rest), nil
}

func parsePodMatchers(text string) ([]podMatch, error) {
	rest := strings.TrimSpace(strings.TrimSuffix(strings.TrimPrefix(text, "{"), "}"))
	var matches []podMatch
	for rest != "" {
		m := podMatcher.FindStringSubmatch(rest)
		if m == nil {
			return nil, wrongKind("pods can't read the labels %s", text)
		}
		rest = strings.TrimSpace(rest[len(m[0]):])
		value, err := strconv.Unquote(m[3])
		if err != nil {
			return nil, wrongKind("pods can't read the value %s of label %s", m[3], m[1])
		}
		match := podMatch{label: m[1], op: m[2], value: value}
		if strings.HasSuffix(match.op, "~") {
			if match.pattern, err = regexp.Compile("^(?s:" + value + ")$"); err != nil {
				return nil, wrongKind("pods can't read the pattern of label %s: %v", m[1], err)
			}
		}
		matches = append(matches, match)
	}
	return matches, nil
}

// release is the one release that the term is about; "" when it says none.
func (t podTerm) release() string {
	for _, m := range t.matchers {
		if m.label == releaseLabel && m.op == "=" {
			return m.value
		}
	}
	return ""
}

// picks says whether a series' labels meet all conditions; a label that is not there is "".
func (t podTerm) picks(labels map[string]string) bool {
	for _, m := range t.matchers {
		value := labels[m.label]
		met := value == m.value
		if m.pattern != nil {
			met = m.pattern.MatchString(value)
		}
		if met == strings.HasPrefix(m.op, "!") {
			return false
		}
	}
	return true
}

func (t podTerm) String() string {
	var conditions []string
	for _, m := range t.matchers {
		conditions = append(conditions, m.label+m.op+strconv.Quote(m.value))
	}
	return t.name + "{" + strings.Join(conditions, ",") + "}"
}

func wrongKind(format string, args ...any) error {
	return &UnusableError{Fault: WrongKind, Detail: fmt.Sprintf(format, args...)}
}
