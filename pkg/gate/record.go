package gate

import (
	"context"
	"errors"
	"time"

	"github.com/org/promote/pkg/change"
	"github.com/org/promote/pkg/evidence"
)

// Outcome is what became of an image at this gate.
type Outcome struct {
	Passed bool
	// Environment and Release name what was deployed; ManifestHash and Secrets what it was rendered from.
	Environment, Release, ManifestHash string
	Secrets                            map[string]string
	Approvers                          []string
	Tests                              *evidence.Tests
	// Verdict is a sentence about it; Run is the run's page, RunID its id and attempt.
	Verdict, Run, RunID string
}

// Record writes this gate's statement. Without a key an error is only a warning: unsigned statements prove nothing that could
// be missed, and a runner that may not push to the registry still deploys.
func (g Gate) Record(ctx context.Context, image string, ch change.Change, o Outcome) error {
	if !g.known() {
		return nil
	}
	result := evidence.Failed
	if o.Passed {
		result = evidence.Passed
	}
	_, err := evidence.Add(ctx, evidence.Statement{
		Image: image, Gate: g.Name, Result: result, Environment: o.Environment, Repository: ch.Repository, Commit: ch.Head, Tree: ch.Tree,
		ManifestHash: o.ManifestHash, Release: o.Release, SecretVersions: o.Secrets, Tests: o.Tests, Approvers: o.Approvers,
		Run: o.Run, RunID: o.RunID, Verdict: bounded(g.redacted(o.Verdict)), Time: time.Now(),
	}, g.Key)
	switch {
	case err == nil:
		g.Log.Infof("evidence: gate %s %s", g.Name, result)
		return nil
	case g.Key == nil:
		g.Log.Warningf("%v", err)
		return nil
	case o.Passed:
		return errors.Join(errors.New("what was done stands, but no later gate will accept it without its evidence: run this again"), err)
	}
	return err
}

func (g Gate) redacted(text string) string {
	if g.Redact == nil {
		return text
	}
	return g.Redact(text)
}

// bounded keeps a verdict readable: a statement is no log.
func bounded(text string) string {
	const most = 1000
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return text
}
