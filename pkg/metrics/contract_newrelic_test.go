package metrics

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

func newRelicDouble() double {
	return double{
		secrets: []string{"NRAK-5ecret-6"}, address: "newrelic.test:80", query: "SELECT count(*) FROM Transaction WHERE release = 'r1' SINCE 120s AGO",
		throttled: "Retry-After", kind: "application/json", redirected: "it redirects to http://elsewhere.test",
		open: func(_ *testing.T, inner http.RoundTripper) Querier {
			return must(NewNewRelic(NewRelicConfig{URL: "http://newrelic.test/graphql", Account: 42, Key: "NRAK-5ecret-6", HTTP: inner}))
		},
		admits: func(r *http.Request, body string) error {
			var sent struct {
				Variables struct {
					Account int
					NRQL    string
				}
			}
			err := json.Unmarshal([]byte(body), &sent)
			switch {
			case err != nil || r.Method != http.MethodPost || r.URL.Path != "/graphql":
				return fmt.Errorf("no question to NerdGraph: %s (%w)", r.URL.Path, err)
			case r.Header.Get("API-Key") != "NRAK-5ecret-6" || sent.Variables.Account != 42:
				return errors.New("the key or the account is wrong")
			case strings.Contains(sent.Variables.NRQL, "s AGO"):
				return errors.New("NRQL knows no such time: " + sent.Variables.NRQL)
			}
			return nil
		},
		answer: newRelicAnswer,
		lacks:  map[situation]string{isFilling: "events have no buckets"},
	}
}

var untilTime = regexp.MustCompile(`UNTIL (\d+)`)

func newRelicAnswer(s situation, _ *http.Request, body string) (int, string) {
	end, messages, rows := int64(0), "", `{"promoteNewest":1,"count":12.5}`
	if m := untilTime.FindStringSubmatch(body); m != nil {
		end, _ = strconv.ParseInt(m[1], 10, 64)
	}
	switch s {
	case hasZero:
		rows = `{"promoteNewest":1,"count":0}`
	case hasNothing: // NRQL counts what is not there
		rows = `{"promoteNewest":null,"count":0}`
	case hasNaN:
		rows = `{"promoteNewest":1,"count":"NaN"}`
	case hasSeveral:
		rows += "," + rows
	case isStale:
		end -= 600_000
	case isPartial:
		messages = `"the query was cut short"`
	case isBadQuery:
		return 200, `{"data":null,"errors":[{"message":"NRQL Syntax Error: Error at line 1 position 1, unexpected 'SELEC'","extensions":{"errorClass":"BAD_REQUEST"}}]}`
	}
	text := fmt.Sprintf(`{"data":{"actor":{"account":{"nrql":{"results":[%s],"metadata":{"messages":[%s],"timeWindow":{"begin":1,"end":%d}}}}}}}`, rows, messages, end)
	if s == isMalformed {
		return 200, text[:len(text)/2]
	}
	return 200, text
}

func TestNerdGraphsErrorsComeWithinGoodAnswers(t *testing.T) {
	run(t, newRelicDouble(), "New Relic", func(t *testing.T, monitor Querier, server *scripted) {
		for _, c := range []struct {
			errors string
			fault  Fault
			text   string
		}{
			{errors: `{"message":"Invalid API key","extensions":{"error_code":"BAD_API_KEY"}}`, fault: Denied},
			{errors: `{"message":"Access denied.","extensions":{"errorClass":"ACCESS_DENIED"}}`, fault: Denied},
			{errors: `{"message":"query timed out","extensions":{"errorClass":"TIMEOUT"}}`, text: "query timed out"},
			{errors: `{"message":"This field is deprecated!"},{"message":"half of it is missing"}`, text: "deprecated"},
		} {
			server.say(func(r *http.Request, body string) (int, http.Header, string) {
				_, text := newRelicAnswer(hasValue, r, body)
				return 200, nil, strings.TrimSuffix(text, "}") + `,"errors":[` + c.errors + `]}`
			})
			_, err := monitor.Query(t.Context(), "SELECT count(*) FROM Transaction SINCE 60s AGO", time.Now())
			if c.fault != "" {
				wantFault(t, err, c.fault)
				continue
			}
			wantNoAnswer(t, err, c.text)
		}
	})
}

func TestNewRelicTakesOneNumberOfAnyShape(t *testing.T) {
	for row, want := range map[string]any{
		`{"promoteNewest":1,"percentile.duration":{"99":12.5}}`:          theValue,
		`{"promoteNewest":1,"percentile.duration":{"99":12.5,"50":1}}`:   Several,
		`{"promoteNewest":1,"average.duration":null}`:                    Empty,
		`{"promoteNewest":1,"uniques.host":["a","b"]}`:                   WrongKind,
		`{"promoteNewest":1,"latest.version":"v1"}`:                      WrongKind,
		`{"promoteNewest":1,"count":12.5,"average.duration":1}`:          Several,
		`{"promoteNewest":1,"count":12.5},{"promoteNewest":1,"count":1}`: Several,
	} {
		var rows []map[string]any
		if err := json.Unmarshal([]byte("["+row+"]"), &rows); err != nil {
			t.Fatal(err)
		}
		got, err := onlyNumber(rows)
		if fault, ok := want.(Fault); ok {
			wantFault(t, err, fault)
		} else if err != nil || got != want {
			t.Errorf("%s: got %v, %v", row, got, err)
		}
	}
}

func TestNewRelicConfigs(t *testing.T) {
	_, err := NewNewRelic(NewRelicConfig{Region: "moon"})
	for _, want := range []string{`region "moon"`, "EU and US", "number of an account", "a user key"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
