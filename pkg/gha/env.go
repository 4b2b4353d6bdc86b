package gha

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Env is what the runner says about the run. Text is as given; the URLs have GitHub's own as fallback and no slash at the
// end.
type Env struct {
	// Repository is owner/name of the repository whose workflow runs.
	Repository string
	// SHA is GITHUB_SHA: for pull requests the merge commit that moves with the base. Take the commit from the event.
	SHA string
	// Ref is the full ref, for instance refs/heads/main.
	Ref string
	// RunID and RunAttempt are decimal numbers.
	RunID, RunAttempt string
	// RunURL is the page of this attempt; empty outside of a run.
	RunURL            string
	APIURL, ServerURL string
	// Workspace is the folder the repository is checked out to.
	Workspace string
	// Temp is a folder that the runner empties when the job is over; empty outside of a run.
	Temp             string
	EventName, Actor string
	// Starter is who started this attempt: Actor, or who ran the workflow again.
	Starter    string
	RunnerName string
	// WorkflowRef is the workflow's file at its ref, WorkflowSHA the commit that the file is of, RunnerKind github-hosted or
	// self-hosted; each may be empty.
	WorkflowRef, WorkflowSHA, RunnerKind string
	// ActionPath is the folder of the action that runs; empty outside of a run.
	ActionPath string
	// RunnerEnvironment is the one environment a self-hosted runner may deploy to (PROMOTE_RUNNER_ENVIRONMENT, set in the
	// runner's own .env file); empty when the runner says nothing.
	RunnerEnvironment string
}

// Run names run and attempt, for instance "4711-1"; "local" outside of a run.
func (e Env) Run() string {
	if e.RunID == "" {
		return "local"
	}
	return e.RunID + "-" + e.RunAttempt
}

// Order is the run's place among all runs of GitHub: ids grow, and a run that is started again keeps its own. 0 outside of a run.
func (e Env) Order() int64 {
	order, err := strconv.ParseInt(e.RunID, 10, 64)
	if err != nil {
		return 0
	}
	return order
}

// Env reads what the runner says about the run.
func (a *Action) Env() Env {
	get := func(name, fallback string) string {
		if value := strings.TrimSpace(a.getenv(name)); value != "" {
			return value
		}
		return fallback
	}
	e := Env{
		Repository:        get("GITHUB_REPOSITORY", ""),
		SHA:               get("GITHUB_SHA", ""),
		Ref:               get("GITHUB_REF", ""),
		RunID:             get("GITHUB_RUN_ID", ""),
		RunAttempt:        get("GITHUB_RUN_ATTEMPT", "1"),
		APIURL:            strings.TrimRight(get("GITHUB_API_URL", "https://api.github.com"), "/"),
		ServerURL:         strings.TrimRight(get("GITHUB_SERVER_URL", "https://github.com"), "/"),
		Workspace:         get("GITHUB_WORKSPACE", ""),
		Temp:              get("RUNNER_TEMP", ""),
		EventName:         get("GITHUB_EVENT_NAME", ""),
		Actor:             get("GITHUB_ACTOR", ""),
		Starter:           get("GITHUB_TRIGGERING_ACTOR", get("GITHUB_ACTOR", "")),
		RunnerName:        get("RUNNER_NAME", ""),
		WorkflowRef:       get("GITHUB_WORKFLOW_REF", ""),
		WorkflowSHA:       get("GITHUB_WORKFLOW_SHA", ""),
		RunnerKind:        get("RUNNER_ENVIRONMENT", ""),
		ActionPath:        get("GITHUB_ACTION_PATH", ""),
		RunnerEnvironment: get("PROMOTE_RUNNER_ENVIRONMENT", ""),
	}
	if e.Repository != "" && e.RunID != "" {
		e.RunURL = fmt.Sprintf("%s/%s/actions/runs/%s/attempts/%s", e.ServerURL, e.Repository, e.RunID, e.RunAttempt)
	}
	return e
}

// Event gives the name and the payload of the event that started the run.
func (a *Action) Event() (name string, payload []byte, err error) {
	name, path := a.getenv("GITHUB_EVENT_NAME"), a.getenv("GITHUB_EVENT_PATH")
	var missing []error
	if name == "" {
		missing = append(missing, errors.New("reading the event: GITHUB_EVENT_NAME is not set; run this in a workflow"))
	}
	if path == "" {
		missing = append(missing, errors.New("reading the event: GITHUB_EVENT_PATH is not set; run this in a workflow"))
	}
	if len(missing) > 0 {
		return "", nil, errors.Join(missing...)
	}
	if payload, err = os.ReadFile(path); err != nil {
		return "", nil, fmt.Errorf("reading the event's payload: %w", err)
	}
	return name, payload, nil
}
