package github

import (
	"encoding/json"
	"errors"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/org/promote/pkg/hostile"
)

// unseenIn gives the first character of a text that is not seen and changes how it reads, in a terminal or on a page.
func unseenIn(text string, lines bool) rune {
	for _, r := range text {
		if lines && r == '\n' || r == '\u200C' || r == '\u200D' {
			continue
		}
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return r
		}
	}
	return 0
}

func field(body map[string]any, name string) string {
	s, _ := body[name].(string)
	return s
}

// Statuses and deployments hold what tests, templates and monitors say.
func TestHostileTextsInStatusesAndDeployments(t *testing.T) {
	status, made, deployment := "POST /statuses/"+head, "POST /deployments", "POST /deployments/99/statuses"
	for name, hostileText := range hostile.Texts {
		t.Run(name, func(t *testing.T) {
			s := serve(t, map[string][]answer{status: {{status: 201, body: `{}`}}, made: {{status: 201, body: `{"id":99}`}}, deployment: {{status: 201, body: `{}`}}})
			c := s.client()
			_, startErr := c.StartDeployment(t.Context(), Deployment{Commit: head, Environment: "test", Description: hostileText})
			err := errors.Join(startErr,
				c.SetStatus(t.Context(), head, Status{Context: "promote/test", State: Failure, Description: hostileText, URL: hostileText}),
				c.SetDeploymentStatus(t.Context(), 99, DeploymentStatus{State: Failure, Description: hostileText, EnvironmentURL: "https://x.test/" + hostileText, LogURL: "javascript:" + hostileText}))
			if err != nil {
				t.Fatal(err)
			}
			for _, body := range []map[string]any{s.sent(status)[0], s.sent(made)[0], s.sent(deployment)[0]} {
				description := field(body, "description")
				if n := utf8.RuneCountInString(description); n > 140 {
					t.Errorf("the description has %d characters", n)
				}
				if r := unseenIn(description, false); r != 0 || strings.Contains(description, "\n") {
					t.Errorf("the description holds %U: %q", r, description)
				}
				for _, name := range []string{"target_url", "log_url", "environment_url"} {
					address, there := body[name]
					if !there {
						continue
					}
					u, err := url.Parse(address.(string))
					if err != nil || u.Scheme != "https" && u.Scheme != "http" || len(address.(string)) > 1100 {
						t.Errorf("%s is %.200q", name, address)
					}
				}
			}
		})
	}
}

// ownMarkup is what the board itself writes as HTML.
var ownMarkup = strings.NewReplacer("<details><summary>Earlier commits</summary>", "", "</details>", "")

var (
	escaped = regexp.MustCompile(`\\.`)
	code    = regexp.MustCompile("(`+) ?.*? ?(`+)")
	link    = regexp.MustCompile(`\]\(https?://[^()<>\s|]*\)`)
	mention = regexp.MustCompile(`[@#][0-9A-Za-z]`)
)

// The board's rows hold names of environments, results, what tests came to, people and addresses.
func TestHostileTextsOnTheBoard(t *testing.T) {
	for name, hostileText := range hostile.Texts {
		t.Run(name, func(t *testing.T) {
			row := BoardRow{
				Environment: hostileText, Commit: hostileText, Digest: hostileText, Result: hostileText, Tests: hostileText, Approvers: []string{hostileText, hostileText},
				Share: hostileText, URL: "https://x.test/?q=" + hostileText, RunURL: hostileText,
			}
			older := BoardRow{Environment: "test", Commit: other, Result: "success"}
			body := renderBoard(withRow([]BoardRow{older}, row.bounded()))
			marker, shown, _ := strings.Cut(body, "\n")
			if len(body) > 65_536 {
				t.Errorf("the comment has %d bytes", len(body))
			}
			if rows, marked := parseBoard(body); !marked || len(rows) != 2 {
				t.Errorf("%d rows are read back", len(rows))
			}
			if strings.Count(marker, "<!--") != 1 || strings.Count(marker, "-->") != 1 || !strings.HasSuffix(marker, markerEnd) {
				t.Errorf("the hidden rows end early: %.300q", marker)
			}
			if r := unseenIn(shown, true); r != 0 {
				t.Errorf("it shows %U", r)
			}
			tables, rows := 0, 0
			for line := range strings.Lines(shown) {
				bare := escaped.ReplaceAllString(ownMarkup.Replace(strings.TrimRight(line, "\n")), "")
				switch {
				case strings.HasPrefix(bare, "| ---"):
					tables++
				case strings.HasPrefix(bare, "| "):
					rows++
				case bare != "" && bare != "### Promotion":
					t.Errorf("a line of no table: %.200q", line)
				}
				text := link.ReplaceAllString(code.ReplaceAllString(bare, ""), "]")
				if strings.ContainsAny(text, "<>") || strings.Contains(text, "](") || strings.Contains(text, "://") || mention.MatchString(text) {
					t.Errorf("markup in %.300q", text)
				}
			}
			if tables != 2 || rows != 4 { // two tables, each with its header and one row
				t.Errorf("%d tables with %d rows: %.500q", tables, rows, shown)
			}
		})
	}
}

func quote(t *testing.T, text string) string {
	t.Helper()
	data, err := json.Marshal(text)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// Whoever may comment may write what looks like a board; only the token's own comment is one.
func TestHostileCommentsAreNoBoard(t *testing.T) {
	for name, hostileText := range hostile.Texts {
		rows, marked := parseBoard(hostileText)
		if strings.HasPrefix(hostileText, boardMarker) != marked {
			t.Errorf("%s: marked is %v", name, marked)
		}
		for _, row := range rows {
			if page := renderBoard([]BoardRow{row.bounded()}); len(page) > 2*boardCap {
				t.Errorf("%s: %d bytes", name, len(page))
			}
		}
	}
}

// A message may quote what was sent, and a proxy before a GitHub Enterprise Server says what it likes.
func TestHostileAnswersOfGitHub(t *testing.T) {
	route := "POST /statuses/" + head
	for name, hostileText := range hostile.Texts {
		quoted := quote(t, hostileText)
		many := strings.TrimSuffix(strings.Repeat(`{"resource":"Status","field":`+quoted+`,"code":"custom","message":`+quoted+`},`, 50), ",")
		for status, body := range map[int]string{
			401: `{"message":` + quoted + `}`, 403: `{"message":` + quoted + `}`, 404: `{"message":` + quoted + `}`,
			422: `{"message":` + quoted + `,"errors":[` + many + `]}`, 400: hostileText,
		} {
			s := serve(t, map[string][]answer{route: {{status: status, body: body}}})
			err := s.client().SetStatus(t.Context(), head, Status{Context: "promote/test", State: Success})
			if err == nil {
				t.Fatalf("%s: %d is no error", name, status)
			}
			if r := unseenIn(err.Error(), false); r != 0 || len(err.Error()) > 8<<10 {
				t.Errorf("%s: of %d comes an error of %d bytes with %U: %.200q", name, status, len(err.Error()), r, err)
			}
		}
	}
}
