// Package show draws a promotion that was played as one page: who did what when, which workflow ran where, which version answered
// each second's requests, every request that failed, the evidence, and what was expected. The page has no scripts and takes nothing
// from elsewhere; what it links to lies beside it. All it says comes from the values it is given and from the clients' own logs.
//
// It refuses nothing: a play that went wrong, or never began, has a page too, and the page says so. Any text can be shown.
//
//	path, err := show.Show{Service: "checkout", …}.Write(folder)
package show

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/org/promote/lab/load"
	"github.com/org/promote/pkg/evidence"
)

// The files of a show. The clients' logs are those that the play wrote, load-<environment>.jsonl.
const (
	pageName  = "index.html"
	sceneName = "show.json"
)

// Show is what was played.
type Show struct {
	Service string
	// Environments are in the order of promotion.
	Environments []string
	Began, Ended time.Time
	Acts         []Act
	Events       []Event
	Runs         []Run
	Moves        []Move
	Evidence     Evidence
	Canaries     []Canary
	Expectations []Expectation
	// Problems are why the play ended early, and what was not as expected.
	Problems []string
	// Clients are the requests of each environment, by the time of sending.
	Clients map[string][]load.Record `json:"-"`
}

// Act is a part of the story: most are one pull request's way.
type Act struct {
	Title string
	// Number is the pull request's, 0 without one; Change is its title and Commit its head.
	Number         int
	Change, Commit string
	// Statuses are how each gate ended, by the name of the gate.
	Statuses     map[string]string
	Outcome      Outcome
	Began, Ended time.Time
}

// Outcome is where a change got to.
type Outcome string

// The outcomes.
const (
	Promoted   Outcome = "promoted to production"
	RolledBack Outcome = "rolled back in production"
	Refused    Outcome = "refused by production"
	Stopped    Outcome = "stopped by its tests"
	Closed     Outcome = "closed without a merge"
	TakenBack  Outcome = "taken back to an earlier release"
	Broken     Outcome = "not as expected"
)

// Event is something that a person did.
type Event struct {
	Time time.Time
	Kind Kind
	Text string
}

// Kind is what sort of thing a person did.
type Kind string

// The kinds.
const (
	Push    Kind = "push"
	Open    Kind = "pull request"
	Approve Kind = "approval"
	Merge   Kind = "merge"
	Other   Kind = "by hand"
)

// Run is one run of a workflow.
type Run struct {
	ID   int
	Name string
	// Lane is the environment whose runner it ran on, or another name of a runner.
	Lane         string
	Began, Ended time.Time
	Succeeded    bool
	// Expected says that it was to end as it did.
	Expected bool
	// Log is the path of its log, from the show's folder.
	Log string
}

// Move is a change of where an environment's traffic goes, as the API server showed it. To is a release, or says what else.
type Move struct {
	Environment string
	Time        time.Time
	To          string
}

// Evidence is what was proven of an image.
type Evidence struct {
	Number int
	Digest string
	Chain  []evidence.Link
}

// Canary is a rollout that left a report.
type Canary struct {
	Run int
	// Service, Environment, Release, Baseline, Phase, Reason, Share and TimeToSafe are its own word.
	Service, Environment, Release, Baseline, Phase, Reason string
	Share                                                  float64
	TimeToSafe                                             time.Duration
	// Report is the path of its report, from the show's folder.
	Report string
}

// Expectation is one thing that had to be true at the end.
type Expectation struct {
	What string
	OK   bool
	Seen string
}

// Write puts the show's page into the folder of the play, and beside it what it was drawn from. It returns the page's path.
func (s Show) Write(dir string) (string, error) {
	raw, err := json.MarshalIndent(s, "", "\t")
	if err != nil {
		return "", fmt.Errorf("writing the show: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, sceneName), raw, 0o644); err != nil {
		return "", fmt.Errorf("writing the show: %w", err)
	}
	return s.draw(dir)
}

// Redraw draws the page in a folder again, from what lies beside it.
func Redraw(dir string) (string, error) {
	s, err := read(dir)
	if err != nil {
		return "", err
	}
	return s.draw(dir)
}

func (s Show) draw(dir string) (string, error) {
	var page bytes.Buffer
	if err := pageTemplate.Execute(&page, newPage(s)); err != nil {
		return "", fmt.Errorf("drawing the show: %w", err)
	}
	path := filepath.Join(dir, pageName)
	if err := os.WriteFile(path, page.Bytes(), 0o644); err != nil {
		return "", fmt.Errorf("writing the show's page: %w", err)
	}
	return path, nil
}

func read(dir string) (Show, error) {
	s := Show{Clients: map[string][]load.Record{}}
	raw, err := os.ReadFile(filepath.Join(dir, sceneName))
	if err != nil {
		return s, fmt.Errorf("reading the show: %w; `make demo` makes one", err)
	}
	if err := json.Unmarshal(raw, &s); err != nil {
		return s, fmt.Errorf("reading the show in %q: %w", dir, err)
	}
	for _, env := range s.Environments {
		log, err := os.Open(filepath.Join(dir, "load-"+env+".jsonl"))
		if errors.Is(err, fs.ErrNotExist) {
			continue // no client was let in
		}
		if err != nil {
			return s, err
		}
		records, err := load.ReadLog(log)
		if err := errors.Join(err, log.Close()); err != nil {
			return s, err
		}
		s.Clients[env] = records
	}
	return s, nil
}
