package github

import (
	"fmt"
	"net/http"
)

// Refusal is an answer that says no, in GitHub's words. The Go functions return it as their error, the
// API writes it as its body.
type Refusal struct {
	Status  int
	Message string
	// Problems is the `errors` array of a 422: objects with resource, field, code and message, or plain sentences.
	Problems []any
	// Documentation is the page that the answer names; "" is the start of all.
	Documentation string
}

func (r *Refusal) Error() string {
	if len(r.Problems) == 0 {
		return fmt.Sprintf("%d %s", r.Status, r.Message)
	}
	return fmt.Sprintf("%d %s: %v", r.Status, r.Message, r.Problems)
}

// body is the JSON that GitHub sends with it.
func (r *Refusal) body() object {
	o := object{
		"message":           r.Message,
		"documentation_url": "https://docs.github.com/rest",
		"status":            fmt.Sprint(r.Status),
	}
	if r.Documentation != "" {
		o["documentation_url"] = r.Documentation
	}
	if len(r.Problems) > 0 {
		o["errors"] = r.Problems
	}
	return o
}

func refuse(status int, format string, args ...any) *Refusal {
	return &Refusal{Status: status, Message: fmt.Sprintf(format, args...)}
}

func notFound() *Refusal { return refuse(http.StatusNotFound, "Not Found") }

// noCommit is what most endpoints say to a SHA or ref that names no commit here.
func noCommit(ref string) *Refusal {
	return refuse(http.StatusUnprocessableEntity, "No commit found for SHA: %s", ref)
}

// invalid is a 422 about one field. Without a message, code is one of GitHub's: missing, missing_field,
// invalid, already_exists; with one, the code is custom.
func invalid(resource, field, code, message string) *Refusal {
	problem := object{"resource": resource, "field": field, "code": code}
	if message != "" {
		problem["message"] = message
	}
	return &Refusal{Status: http.StatusUnprocessableEntity, Message: "Validation Failed", Problems: []any{problem}}
}

// unprocessable is the other form of a 422, with sentences.
func unprocessable(sentence string) *Refusal {
	return &Refusal{Status: http.StatusUnprocessableEntity, Message: "Unprocessable Entity", Problems: []any{sentence}}
}
