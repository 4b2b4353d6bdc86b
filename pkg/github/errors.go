package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/google/go-github/v84/github"

	"github.com/org/promote/pkg/report"
)

// PermissionError says that the token may not make a call, and which permission is missing.
type PermissionError struct {
	// Doing is what was tried, for instance "setting status \"promote/test\" on 1a2b3c4".
	Doing string
	// Permission is the line to add under permissions: in the workflow, for instance "statuses: write".
	Permission string
	// Message is GitHub's own text.
	Message string
}

func (e *PermissionError) Error() string {
	return fmt.Sprintf("%s: GitHub says %q; add %q under permissions: of the workflow's job", e.Doing, e.Message, e.Permission)
}

// explain puts what was tried in front of an error, and turns GitHub's refusals into their cause. permission is the line
// that the call needs.
func explain(ctx context.Context, err error, permission, format string, args ...any) error {
	if err == nil {
		return nil
	}
	doing := fmt.Sprintf(format, args...)
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", doing, context.Cause(ctx))
	}
	var answer *github.ErrorResponse
	if !errors.As(err, &answer) || answer.Response == nil {
		var limited *github.RateLimitError
		var abuse *github.AbuseRateLimitError
		switch {
		case errors.As(err, &limited):
			return fmt.Errorf("%s: GitHub's rate limit is used up until %s; run the job again then",
				doing, limited.Rate.Reset.UTC().Format(time.RFC3339))
		case errors.As(err, &abuse):
			return fmt.Errorf("%s: GitHub's secondary rate limit holds on; run the job again later", doing)
		}
		return fmt.Errorf("%s: %w", doing, err)
	}
	answer.Message = said(answer.Message)
	switch answer.Response.StatusCode {
	case http.StatusUnauthorized:
		return fmt.Errorf("%s: GitHub does not accept the token (%s); set the input github-token to ${{ github.token }}",
			doing, answer.Message)
	case http.StatusTooManyRequests, http.StatusForbidden:
		message := strings.ToLower(answer.Message)
		switch {
		case answer.Response.StatusCode == http.StatusTooManyRequests, strings.Contains(message, "rate limit"):
			return fmt.Errorf("%s: GitHub's rate limit holds on (%s); run the job again later", doing, answer.Message)
		case strings.Contains(message, "is locked"), strings.Contains(message, "archived"): // no permission would help
			return fmt.Errorf("%s: GitHub says %q", doing, answer.Message)
		}
		return &PermissionError{Doing: doing, Permission: permission, Message: answer.Message}
	case http.StatusNotFound:
		// GitHub answers 404 for what exists but may not be seen.
		return fmt.Errorf("%s: not found, or the token may not see it (needs %q under permissions:): %w", doing, permission, err)
	}
	return fmt.Errorf("%s: GitHub answers %d: %s", doing, answer.Response.StatusCode, detail(answer))
}

// maxSaid and saidCap, in characters, bound what is repeated of an answer: a message may quote what was sent, and a proxy in front of
// a GitHub Enterprise Server answers what it likes.
const maxSaid, saidCap = 5, 300

func said(text string) string { return cut(report.Plain(text), saidCap) }

// detail gives GitHub's message with the errors on single fields.
func detail(answer *github.ErrorResponse) string {
	text := answer.Message
	var fields []string
	for i, e := range answer.Errors {
		if i == maxSaid {
			fields = append(fields, fmt.Sprintf("and %d more", len(answer.Errors)-i))
			break
		}
		switch {
		case e.Message != "":
			fields = append(fields, said(e.Message))
		case e.Field != "":
			fields = append(fields, said(e.Field+" "+e.Code))
		}
	}
	if len(fields) > 0 {
		text += " (" + strings.Join(fields, "; ") + ")"
	}
	return text
}

// notFound says whether GitHub answered 404.
func notFound(err error) bool { return refusedAs(err, http.StatusNotFound) }
