package metrics

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// newestField is what we add to a query: when the newest event came that it found. NRQL counts 0 where nothing is; without it
// no data would look like no errors.
const newestField = "promoteNewest"

var (
	nrqlSelect = regexp.MustCompile(`(?i)\bSELECT\b`)
	nrqlSince  = regexp.MustCompile(`(?i)\bSINCE\b`)
	nrqlWindow = regexp.MustCompile(`(?i)\bSINCE\s+(\d+)s\s+AGO\b`)
	nrqlUntil  = regexp.MustCompile(`(?i)\bUNTIL\b`)
	nrqlSeries = regexp.MustCompile(`(?i)\b(FACET|TIMESERIES|COMPARE\s+WITH)\b`)
)

// nrql is a query as it is sent.
type nrql struct {
	text string
	// until is when its time ends; zero when the query says that itself.
	until time.Time
}

// parseNRQL makes the window's times exact and asks for the newest event too.
func parseNRQL(query string, at time.Time) (nrql, error) {
	query = strings.TrimSpace(query)
	bare := unquoted(query)
	wrong := func(format string, args ...any) (nrql, error) {
		return nrql{}, &UnusableError{Fault: WrongKind, Detail: fmt.Sprintf(format, args...)}
	}
	if clause := nrqlSeries.FindString(bare); clause != "" {
		return wrong("%s gives several numbers; leave it out", strings.ToUpper(clause))
	}
	pick := nrqlSelect.FindStringIndex(bare)
	if pick == nil {
		return wrong("it has no SELECT")
	}
	if !nrqlSince.MatchString(bare) {
		return wrong("it has no SINCE, and New Relic would take the last hour; write SINCE $window AGO")
	}
	q := nrql{text: query}
	if m := nrqlWindow.FindStringSubmatchIndex(bare); m != nil {
		window, err := time.ParseDuration(bare[m[2]:m[3]] + "s")
		if err != nil {
			return wrong("its window can't be read")
		}
		times := fmt.Sprintf("SINCE %d", at.Add(-window).UnixMilli())
		if !nrqlUntil.MatchString(bare) {
			q.until = at
			times += fmt.Sprintf(" UNTIL %d", at.UnixMilli())
		}
		q.text = query[:m[0]] + times + query[m[1]:]
		if pick[0] > m[0] { // FROM … SINCE … SELECT …
			shift := len(q.text) - len(query)
			pick[1] += shift
		}
	}
	q.text = q.text[:pick[1]] + " latest(timestamp) AS '" + newestField + "'," + q.text[pick[1]:]
	return q, nil
}

// unquoted blanks what stands within quotes, where anything may stand; lengths stay.
func unquoted(query string) string {
	return quoted.ReplaceAllStringFunc(query, func(s string) string { return strings.Repeat("_", len(s)) })
}

// onlyNumber is the one number of the one row.
func onlyNumber(rows []map[string]any) (float64, error) {
	switch {
	case len(rows) == 0:
		return 0, &UnusableError{Fault: Empty, Detail: "no event matches in the window"}
	case len(rows) > 1:
		return 0, &UnusableError{Fault: Several, Detail: fmt.Sprintf("%d rows; leave FACET, TIMESERIES and COMPARE WITH out", len(rows))}
	case rows[0][newestField] == nil:
		return 0, &UnusableError{Fault: Empty, Detail: "no event matches in the window"}
	}
	var numbers []float64
	var names []string
	for name, v := range rows[0] {
		if name == newestField {
			continue
		}
		names = append(names, name)
		found, err := numbersIn(v)
		if err != nil {
			return 0, err
		}
		numbers = append(numbers, found...)
	}
	switch {
	case len(names) > 1 || len(numbers) > 1:
		return 0, &UnusableError{Fault: Several, Detail: fmt.Sprintf("the query selects %d numbers", max(len(names), len(numbers)))}
	case len(numbers) == 0:
		return 0, &UnusableError{Fault: Empty, Detail: "the attribute that the query reads is in no event of the window"}
	}
	return numbers[0], nil
}

// numbersIn are the numbers of a value: itself, or those within, as percentile() has them by percentage.
func numbersIn(v any) ([]float64, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case float64:
		return []float64{v}, nil
	case map[string]any:
		var all []float64
		for _, inner := range v {
			found, err := numbersIn(inner)
			if err != nil {
				return nil, err
			}
			all = append(all, found...)
		}
		return all, nil
	case string:
		if v == "NaN" || strings.HasSuffix(v, "Infinity") {
			return nil, &UnusableError{Fault: NotANumber, Detail: v}
		}
	}
	return nil, &UnusableError{Fault: WrongKind, Detail: "the query selects what is no number"}
}
