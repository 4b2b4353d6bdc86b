package evidence

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/org/promote/pkg/image"
)

// PredicateType names what a gate's statement says, for in-toto and for cosign's --type.
const PredicateType = "https://promote.dev/evidence/v1"

// The gates, in the order a change meets them.
const (
	Unit  = "unit"
	Build = "build"
	Test  = "test"
	Stage = "stage"
	Prod  = "prod"
)

// Gates lists all gates in their order.
func Gates() []string { return []string{Unit, Build, Test, Stage, Prod} }

// Results of a gate.
const (
	Passed = "passed"
	Failed = "failed"
)

// Statement is what happened at a gate. Its JSON is the predicate.
type Statement struct {
	// Image is "repository@sha256:…", the statement's subject.
	Image string `json:"-"`
	// Gate is one of [Gates], Result is [Passed] or [Failed].
	Gate   string `json:"gate"`
	Result string `json:"result"`
	// Environment is what a deployment went to, "" for gates before the first.
	Environment string `json:"environment,omitempty"`
	// Repository is the source's owner/name, Commit a full hash, Tree that of the commit's tree.
	Repository string `json:"repository"`
	Commit     string `json:"commit"`
	Tree       string `json:"tree"`
	// ManifestHash is that of what was rendered, Release its release's id.
	ManifestHash string `json:"manifestHash,omitempty"`
	Release      string `json:"release,omitempty"`
	// SecretVersions maps what was looked up to the version it was read at, never to a value.
	SecretVersions map[string]string `json:"secretVersions,omitempty"`
	// Tests is nil where no tests ran.
	Tests *Tests `json:"tests,omitempty"`
	// Approvers are the logins of those who approved this head.
	Approvers []string `json:"approvers,omitempty"`
	// Run is the address of the workflow run, RunID its id with the attempt.
	Run   string `json:"run"`
	RunID string `json:"runID,omitempty"`
	// Verdict is a sentence about the result. It may quote text from outside: escape it before printing.
	Verdict string `json:"verdict,omitempty"`
	// Time is when the gate was decided, to the millisecond, in UTC.
	Time time.Time `json:"time"`
	// Previous is the newest statement of each gate that the writer saw. [Add] fills it in.
	Previous []Seen `json:"previous,omitempty"`
}

// Tests counts a gate's tests.
type Tests struct {
	Total   int `json:"total"`
	Failed  int `json:"failed"`
	Skipped int `json:"skipped"`
}

// Seen is what one place remembers of a statement that another place holds.
type Seen struct {
	Gate   string    `json:"gate"`
	Result string    `json:"result"`
	Time   time.Time `json:"time"`
	// Statement is the [Record.ID], "" where it is not known.
	Statement string `json:"statement,omitempty"`
	Run       string `json:"run,omitempty"`
}

var (
	hash         = regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`)
	sourceName   = regexp.MustCompile(`^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$`)
	sha256Digest = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)
)

// subjectOf takes "repository@sha256:…" apart.
func subjectOf(reference string) (repository, digest string, err error) {
	repository, digest, _ = strings.Cut(reference, "@")
	if !sha256Digest.MatchString(digest) {
		return "", "", fmt.Errorf("parsing image %q: it has no digest, as in registry.example/team/checkout@sha256:…", reference)
	}
	return repository, digest, image.ParseRepository(repository)
}

// check reports everything that is wrong with a statement that is to be written.
func (s Statement) check() error {
	var problems []error
	add := func(bad bool, format string, args ...any) {
		if bad {
			problems = append(problems, fmt.Errorf(format, args...))
		}
	}
	_, _, err := subjectOf(s.Image)
	problems = append(problems, err)
	add(!slices.Contains(Gates(), s.Gate), "unknown gate %q; valid are %s", s.Gate, strings.Join(Gates(), ", "))
	add(s.Result != Passed && s.Result != Failed, "unknown result %q; valid are %s, %s", s.Result, Passed, Failed)
	add(!sourceName.MatchString(s.Repository), "repository %q is not owner/name", s.Repository)
	add(!hash.MatchString(s.Commit), "commit %q is not a full hash", s.Commit)
	add(!hash.MatchString(s.Tree), "tree %q is not a full hash", s.Tree)
	add(s.Time.IsZero(), "the time is not set")
	if address, err := url.Parse(s.Run); err != nil || address.Host == "" || address.Scheme != "https" && address.Scheme != "http" {
		add(true, "run %q is not a URL", s.Run)
	}
	if t := s.Tests; t != nil {
		add(t.Total < 0 || t.Failed < 0 || t.Skipped < 0 || t.Failed+t.Skipped > t.Total, "tests %+v do not add up", *t)
	}
	if err := errors.Join(problems...); err != nil {
		return fmt.Errorf("making a statement of gate %q about %q: %w", s.Gate, s.Image, err)
	}
	return nil
}

// decodeStatement reads a predicate. What it does not know is for a later version of this package; what it must know is
// checked, because a gate without a name or a time would be decided by chance.
func decodeStatement(image string, predicate []byte) (Statement, error) {
	s := Statement{Image: image}
	if err := json.Unmarshal(predicate, &s); err != nil {
		return Statement{}, fmt.Errorf("reading the predicate: %w", err)
	}
	switch {
	case !slices.Contains(Gates(), s.Gate):
		return Statement{}, fmt.Errorf("reading the predicate: unknown gate %q", s.Gate)
	case s.Result != Passed && s.Result != Failed:
		return Statement{}, fmt.Errorf("reading the predicate: unknown result %q", s.Result)
	case s.Time.IsZero():
		return Statement{}, errors.New("reading the predicate: it has no time")
	}
	return s, nil
}
