package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/org/promote/pkg/change"
)

// warnings keeps what is warned of.
type warnings []string

func (w *warnings) Infof(string, ...any) {}
func (w *warnings) Warningf(format string, args ...any) {
	*w = append(*w, fmt.Sprintf(format, args...))
}

func TestStillMay(t *testing.T) {
	refusal := &change.Refusal{Subject: "commit 1234567", Reason: "changes were requested by grace", Fix: "ask for another review"}
	down := errors.New("reading pull request #7: GitHub answers 502")
	for name, c := range map[string]struct {
		answers []error // the last one is given from then on
		asked   int
		want    error
	}{
		"a yes lets it go on":                 {[]error{nil}, 1, nil},
		"a refusal stands at once":            {[]error{refusal}, 1, refusal},
		"no answer is asked for again":        {[]error{down, down, nil}, 3, nil},
		"what is refused after that stands":   {[]error{down, refusal}, 2, refusal},
		"no answer for too long is not a yes": {[]error{down}, 6, down},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				asked, silent, log := 0, 0, &warnings{}
				err := stillMay(t.Context(), func(context.Context) error {
					asked++
					answer := c.answers[min(asked, len(c.answers))-1]
					if errors.Is(answer, down) {
						silent++
					}
					return answer
				}, log, 29*time.Second, 5*time.Second)
				if !errors.Is(err, c.want) || asked != c.asked {
					t.Errorf("got %v after %d questions, want %v after %d", err, asked, c.want, c.asked)
				}
				if errors.Is(c.want, down) && !strings.Contains(err.Error(), "step-limit") {
					t.Errorf("%v does not name the input that gives it more time", err)
				}
				if len(*log) != silent {
					t.Errorf("warned of %q, want one for each of %d questions without an answer", *log, silent)
				}
			})
		})
	}
	t.Run("a cancelled run waits no longer", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(time.Second, cancel)
			began := time.Now()
			if err := stillMay(ctx, func(context.Context) error { return down }, &warnings{}, time.Hour, 5*time.Second); err == nil || time.Since(began) != time.Second {
				t.Errorf("got %v after %s", err, time.Since(began))
			}
		})
	})
}
