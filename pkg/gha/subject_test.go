package gha

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// webToken is a token as GitHub's are made, with a signature that nobody checks.
func webToken(claims string) string {
	part := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	return part(`{"alg":"RS256"}`) + "." + part(claims) + "." + part("signature of the test")
}

func TestIdentity(t *testing.T) {
	for name, test := range map[string]struct {
		status             int
		body               string
		issuer, sub, wrong string
	}{
		"the two claims":   {200, `{"value":"` + webToken(`{"iss":"https://token.test","sub":"repo:a/b:pull_request","exp":1}`) + `"}`, "https://token.test", "repo:a/b:pull_request", ""},
		"a refusal":        {403, `no`, "", "", "asking the runner for the job's token: "},
		"no web token":     {200, `{"value":"abc"}`, "", "", "reading the job's token: it has 1 parts instead of 3"},
		"no base64":        {200, `{"value":"a.!.c"}`, "", "", "its claims are not base64"},
		"claims of no sub": {200, `{"value":"` + webToken(`{"iss":"x"}`) + `"}`, "", "", "its claims are not JSON with a sub"},
	} {
		t.Run(name, func(t *testing.T) {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Authorization") != "Bearer request-token-of-the-test" || r.URL.Query().Get("audience") != "sts.amazonaws.com" {
					t.Errorf("asked with %v for %s", r.Header, r.URL)
				}
				w.WriteHeader(test.status)
				_, _ = w.Write([]byte(test.body))
			}))
			defer s.Close()
			var log bytes.Buffer
			a := New(func(name string) string {
				return map[string]string{"ACTIONS_ID_TOKEN_REQUEST_URL": s.URL + "/?api-version=2.0", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "request-token-of-the-test"}[name]
			}, &log)
			issuer, sub, err := a.Identity(t.Context(), "sts.amazonaws.com")
			if issuer != test.issuer || sub != test.sub || (err == nil) != (test.wrong == "") || err != nil && !strings.Contains(err.Error(), test.wrong) {
				t.Errorf("got %q, %q, %v", issuer, sub, err)
			}
			log.Reset()
			a.Infof("%s %s", test.body, "request-token-of-the-test")
			if test.sub != "" && strings.Contains(log.String(), base64.RawURLEncoding.EncodeToString([]byte("signature of the test"))) || strings.Contains(log.String(), "request-token") {
				t.Errorf("a token is shown: %s", log.String())
			}
		})
	}
	t.Run("a job without the right has none, and nobody is asked", func(t *testing.T) {
		if _, sub, err := New(func(string) string { return "" }, &bytes.Buffer{}).Identity(t.Context(), "x"); sub != "" || err != nil {
			t.Errorf("got %q, %v", sub, err)
		}
	})
}
