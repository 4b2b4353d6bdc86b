// Package github asks GitHub what promote must know and tells it what happened: the pull request and the tree of a commit,
// approvals, commit statuses, deployments, and one comment per pull request with a row for each environment.
//
// It refuses to take a payload's word: approvals and merges are asked from the API. What may not go on is a
// *change.Refusal; a call that the token may not make is a *[PermissionError] with the line to add to the workflow. A
// question that gets no answer is an error, never a yes; what could not be told belongs into the summary, as [Untold] has it.
// The token is sent to the API's own host and nowhere else, and never stands in an error.
//
//	c, err := github.New(github.Config{APIURL: env.APIURL, Token: token, Repository: env.Repository})
//	merged, err := c.MergedChange(ctx, env.SHA, "main")
//	_, err = c.MayGo(ctx, merged, 1) // and again right before traffic moves
//	err = c.SetStatus(ctx, merged.Head, github.Status{Context: "promote/prod", State: github.Success, Description: "…"})
package github

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/go-github/v84/github"
	"github.com/org/promote/pkg/change"
	"github.com/org/promote/pkg/report"
)

// requestTimeout bounds one request including its answer's body; waits for rate limits come on top.
const requestTimeout = 30 * time.Second

// Config says which repository and how to reach it.
type Config struct {
	// APIURL is the root of the REST API; empty means https://api.github.com. GitHub Enterprise: https://host/api/v3.
	APIURL string
	// Token is the workflow's token.
	Token string
	// Repository is owner/name.
	Repository string
	// HTTP is the client to use; nil means one with a time limit.
	HTTP *http.Client
	// Redact takes secret values out of what is told: descriptions, and the texts of the board. An address that holds one is left
	// out. Nil leaves text as it is.
	Redact func(string) string
	// Settle is how long to wait for GitHub's index of commits to know a merge; 0 means 20 seconds.
	Settle time.Duration
}

// Client talks to one repository. It may be used from several goroutines.
type Client struct {
	// api asks and is patient, say tells and is not.
	api, say    *github.Client
	owner, name string
	self        self
	redact      func(string) string
	// settle is how long GitHub's index of commits may lag behind a merge; poll is the first wait between two looks at it.
	settle, poll time.Duration
}

// New gives a client. All that is wrong with the configuration comes in one error; nothing is sent yet.
func New(cfg Config) (*Client, error) {
	base, err := url.Parse(strings.TrimRight(cmp.Or(cfg.APIURL, "https://api.github.com"), "/") + "/")
	if err == nil && (base.Scheme != "https" && base.Scheme != "http" || base.Host == "") {
		err = errors.New("it must begin with https://")
	}
	if err != nil {
		err = fmt.Errorf("reading GitHub's API URL %q: %w", cfg.APIURL, err)
	}
	if cfg.Token == "" {
		err = errors.Join(err, errors.New("reaching GitHub: the token is empty; set the input github-token to ${{ github.token }}"))
	}
	if err = errors.Join(err, change.CheckRepository("repository", cfg.Repository)); err != nil {
		return nil, err
	}
	client := http.Client{Timeout: requestTimeout}
	if cfg.HTTP != nil {
		client = *cfg.HTTP
	}
	inner := client.Transport
	if inner == nil {
		inner = http.DefaultTransport
	}
	// The time limit must not count the waits for a rate limit, so it is held per try.
	patient := func(patience time.Duration) *github.Client {
		own := client
		own.Transport = &transport{inner: inner, host: base.Host, token: cfg.Token, timeout: client.Timeout, patience: patience}
		own.Timeout = 0
		api := github.NewClient(&own)
		api.BaseURL = base
		api.UserAgent = "promote"
		// The transport waits for limits and tries again; the library would refuse by itself without a request.
		api.DisableRateLimitCheck = true
		return api
	}
	owner, name, _ := strings.Cut(cfg.Repository, "/")
	return &Client{api: patient(askPatience), say: patient(tellPatience), owner: owner, name: name, redact: orAsIs(cfg.Redact), settle: cmp.Or(cfg.Settle, 20*time.Second), poll: 500 * time.Millisecond}, nil
}

func orAsIs(redact func(string) string) func(string) string {
	if redact == nil {
		return func(text string) string { return text }
	}
	return redact
}

// description is a text as a commit status or a deployment has it: one line without secrets, of at most 140 characters, in which all
// can be seen: GitHub's pages show it as text, and `gh` in a terminal. Secrets go first, since what is left of one that was cut is
// not found any more.
func (c *Client) description(text string) string {
	return cut(report.Plain(c.redact(text)), descriptionCap)
}

// address is a URL of http or https, which is all that GitHub takes (422), or nothing when it is another or holds a secret.
func (c *Client) address(text string) *string {
	if c.redact(text) != text {
		return nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || len(text) > urlCap {
		return nil
	}
	return &text
}

// repository is owner/name.
func (c *Client) repository() string { return c.owner + "/" + c.name }
