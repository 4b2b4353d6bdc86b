package change

import (
	"errors"
	"testing"
)

func TestClosed(t *testing.T) {
	payload := func(file string, e edit) []byte { return edited(t, file, e) }
	for _, test := range []struct {
		name, event string
		data        []byte
		closed      bool
		neutral     string
		wrong       bool
	}{
		{"merged", "pull_request", payload("pull_request_closed", edit{"pull_request.merged": true}), true, "", false},
		{"not merged", "pull_request", payload("pull_request_closed", edit{"pull_request.merged": false}), true, "", false},
		{"closed by Dependabot", "pull_request", payload("pull_request_closed", edit{"sender.login": dependabot}), true, "", false},
		{"of a fork", "pull_request", payload("pull_request_fork", edit{"action": "closed"}), true, "fork", false},
		{"with a number that is none", "pull_request", payload("pull_request_closed", edit{"pull_request.number": -1}), true, "", true},
		{"with a commit that is none", "pull_request", payload("pull_request_closed", edit{"pull_request.head.sha": "main"}), true, "", true},
		{"a push to one", "pull_request", payload("pull_request", nil), false, "", false},
		{"an approval", "pull_request_review", payload("review_approved", nil), false, "", false},
		{"a schedule", "schedule", []byte(`{"schedule":"0 * * * *"}`), false, "", false},
		{"no JSON", "pull_request", []byte(`{`), false, "", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, closed, err := Closed(test.event, test.data)
			var neutral *Neutral
			switch {
			case closed != test.closed:
				t.Errorf("closed is %t", closed)
			case test.neutral != "":
				if !errors.As(err, &neutral) || neutral.Name != test.neutral {
					t.Errorf("got %v, want the neutral %q", err, test.neutral)
				}
			case (err != nil) != test.wrong:
				t.Errorf("error is %v", err)
			case test.closed && err == nil && (c.PullRequest == 0 || c.Head == "" || c.Repository == ""):
				t.Errorf("got %+v", c)
			}
		})
	}
}
