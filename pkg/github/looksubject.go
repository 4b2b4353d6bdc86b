package github

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/org/promote/pkg/preflight"
)

// Audience is what AWS takes tokens of jobs for.
const Audience = "sts.amazonaws.com"

// Identity is what a job's own token says of it, as GitHub signs it for others.
type Identity struct {
	// Issuer is the address of who signed, https://token.actions.githubusercontent.com on GitHub.com. Subject is the claim sub.
	Issuer, Subject string
}

// LookAtSubject looks at the claim sub, by which AWS decides whether a job may have a role. ask gives the identity of this very job for
// [Audience], the zero one for a job without `id-token: write`; nobody is asked for a role.
func (c *Client) LookAtSubject(ask func(context.Context) (Identity, error)) preflight.Look {
	return preflight.Look{Area: "AWS", At: func(ctx context.Context) []preflight.Finding {
		own, err := ask(ctx)
		switch {
		case err != nil:
			return []preflight.Finding{{Subject: "the job's token", Told: err.Error()}}
		case own.Subject != "":
			return []preflight.Finding{judgeSubject(own)}
		}
		told, err := c.subjectForm(ctx)
		if err != nil {
			told = err.Error()
		}
		return []preflight.Finding{{
			Subject: "the job's token", State: preflight.Noted,
			Told: "the job has none, so the runner must bring AWS credentials itself; a role by OIDC takes `id-token: write`. " + told,
		}}
	}}
}

// judgeSubject gives the condition that a role needs which trusts this job and no other.
func judgeSubject(own Identity) preflight.Finding {
	f := preflight.Finding{Subject: "the job's token", State: preflight.Noted, Told: fmt.Sprintf("its `sub` is %s", own.Subject)}
	if strings.HasSuffix(own.Subject, ":pull_request") {
		f.Told += "; whoever may push a branch can have a role that trusts it, so production's must not"
	}
	key := strings.TrimPrefix(own.Issuer, "https://")
	f.Fix = fmt.Sprintf("a role for this job has in its trust policy the condition\n"+
		"\"StringEquals\": {\n  %q: %q,\n  %q: %q\n}", key+":aud", Audience, key+":sub", own.Subject)
	return f
}

// subjectForm says what the claim looks like where no token shows it. The library's type lacks what tells the two forms apart:
// https://github.blog/changelog/2026-04-23-immutable-subject-claims-for-github-actions-oidc-tokens
func (c *Client) subjectForm(ctx context.Context) (string, error) {
	request, err := c.say.NewRequest(http.MethodGet, fmt.Sprintf("repos/%s/%s/actions/oidc/customization/sub", c.owner, c.name), nil)
	if err != nil {
		return "", err
	}
	var form struct {
		Default bool     `json:"use_default"`
		Keys    []string `json:"include_claim_keys"`
		Prefix  string   `json:"sub_claim_prefix"`
	}
	_, err = c.say.Do(ctx, request, &form)
	switch {
	case refusedAs(err, http.StatusForbidden):
		return "Its form could not be read (`actions: read`)", nil
	case err != nil && !refusedAs(err, http.StatusNotFound):
		return "", explain(ctx, err, "actions: read", "reading the form of the claim sub")
	case !form.Default && len(form.Keys) > 0:
		return "Its `sub` is made of " + strings.Join(form.Keys, ", ") + ", as this repository is set", nil
	case form.Prefix != "":
		return "Its `sub` begins with " + form.Prefix, nil
	}
	return fmt.Sprintf("Its `sub` begins with repo:%s, or with that and ids in it where the repository is newer than June 2026", c.repository()), nil
}
