package metrics

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
)

// nerdGraph asks for the rows, and for what tells whether they are whole and of the time that was asked for. New Relic gives up
// after `timeout` seconds, within QueryTime.
const nerdGraph = `query($account: Int!, $nrql: Nrql!) { actor { account(id: $account) { nrql(query: $nrql, timeout: 9) {` +
	` results metadata { messages timeWindow { begin end } } } } } }`

// nrdbAnswer is what NerdGraph says of one query.
type nrdbAnswer struct {
	Results  []map[string]any `json:"results"`
	Metadata struct {
		Messages   []string `json:"messages"`
		TimeWindow struct {
			Begin int64 `json:"begin"`
			End   int64 `json:"end"`
		} `json:"timeWindow"`
	} `json:"metadata"`
}

// ask sends NRQL. NerdGraph's errors come with HTTP status 200, also beside data, which then is not to be trusted.
func (n *NewRelic) ask(ctx context.Context, nrql string) (nrdbAnswer, error) {
	ctx, cancel, seen := asking(ctx)
	defer cancel()
	body, err := json.Marshal(map[string]any{"query": nerdGraph, "variables": map[string]any{"account": n.account, "nrql": nrql}})
	if err != nil {
		return nrdbAnswer{}, fmt.Errorf("asking New Relic: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, n.endpoint, bytes.NewReader(body))
	if err != nil {
		return nrdbAnswer{}, fmt.Errorf("asking New Relic: %w", withoutURL(err))
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := n.client.Do(req)
	if err != nil {
		return nrdbAnswer{}, failed(ctx, "New Relic", err)
	}
	defer resp.Body.Close()
	if refused := seen.refused("New Relic"); refused != nil {
		return nrdbAnswer{}, refused
	}
	var got struct {
		Data struct {
			Actor struct {
				Account *struct {
					NRQL *nrdbAnswer `json:"nrql"`
				} `json:"account"`
			} `json:"actor"`
		} `json:"data"`
		Errors []nerdError `json:"errors"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&got); err != nil {
		return nrdbAnswer{}, failed(ctx, "New Relic", fmt.Errorf("reading the answer: %w", err))
	}
	if len(got.Errors) > 0 {
		return nrdbAnswer{}, got.Errors[0].sorted()
	}
	account := got.Data.Actor.Account
	if account == nil || account.NRQL == nil {
		return nrdbAnswer{}, errors.New("asking New Relic: the answer is none of NerdGraph's")
	}
	if messages := account.NRQL.Metadata.Messages; len(messages) > 0 {
		return nrdbAnswer{}, &UnusableError{Fault: Partial, Detail: strings.Join(messages, "; ")}
	}
	return *account.NRQL, nil
}

// nerdError is one of GraphQL's errors, with New Relic's classes.
type nerdError struct {
	Message    string `json:"message"`
	Extensions struct {
		ErrorClass string `json:"errorClass"`
		ErrorCode  string `json:"error_code"`
		Code       string `json:"code"`
	} `json:"extensions"`
}

var (
	nerdDenied  = regexp.MustCompile(`BAD_API_KEY|DENIED|FORBIDDEN|UNAUTHORIZED|UNAUTHENTICATED`)
	nerdInvalid = regexp.MustCompile(`(?i)NRQL Syntax Error|^NRQL error|unknown function`)
)

func (e nerdError) sorted() error {
	class := strings.Join([]string{e.Extensions.ErrorClass, e.Extensions.ErrorCode, e.Extensions.Code}, " ")
	switch {
	case nerdDenied.MatchString(class) || strings.HasPrefix(e.Message, "Access denied"):
		return &UnusableError{Fault: Denied, Detail: e.Message}
	case nerdInvalid.MatchString(e.Message):
		return &UnusableError{Fault: WrongKind, Detail: "the query does not parse: " + e.Message}
	}
	return fmt.Errorf("asking New Relic: %s", e.Message)
}
