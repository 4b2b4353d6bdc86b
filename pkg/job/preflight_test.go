package job

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/org/promote/pkg/change"
	"github.com/org/promote/pkg/cluster"
	"github.com/org/promote/pkg/evidence"
	"github.com/org/promote/pkg/github"
	"github.com/org/promote/pkg/image"
	"github.com/org/promote/pkg/preflight"
	"github.com/org/promote/pkg/secrets"
)

// brief is what a finding comes to.
func brief(found []preflight.Finding) []string {
	var lines []string
	for _, f := range found {
		lines = append(lines, fmt.Sprintf("%s %s", f.Subject, f.State))
	}
	return lines
}

func TestEveryJoinedProblemIsAFindingOfItsOwn(t *testing.T) {
	inner := fmt.Errorf("asking: %w: %w", errors.New("a"), errors.New("b")) // one text, of two errors
	err := errors.Join(errors.New("first"), errors.Join(errors.New("second"), inner))
	var told []string
	for _, f := range OfChecks("x", "good", err) {
		told = append(told, f.Told)
	}
	if diff := cmp.Diff([]string{"first", "second", "asking: a: b"}, told); diff != "" {
		t.Error(diff)
	}
	if got := OfChecks("x", "good", nil); len(got) != 1 || got[0].State != preflight.Good || got[0].Told != "good" {
		t.Errorf("got %+v", got)
	}
	if got := wrongs("x", nil); got != nil {
		t.Errorf("got %+v", got)
	}
}

func TestARefusalsFixIsTheFindingsFix(t *testing.T) {
	for name, c := range map[string]struct {
		err error
		fix string
	}{
		"a refusal":            {&change.Refusal{Subject: "pull request #7", Reason: "no", Fix: "have it approved"}, "have it approved"},
		"a missing permission": {fmt.Errorf("x: %w", &github.PermissionError{Permission: "statuses: write"}), "add `statuses: write` to the job's `permissions:`"},
		"anything else":        {errors.New("connection refused"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := OfCheck("x", "good", c.err); got.State != preflight.Wrong || got.Fix != c.fix || got.Told == "" {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestOnlyWhatAPlanNeedsStandsInItsWay(t *testing.T) {
	for area, want := range map[string]bool{"GitHub": true, "monitor": true, areaEvidence: true, areaCluster: false, areaSecrets: false, areaRegistry: false, areaTemplates: false, areaAWS: false} {
		if got := Plans(preflight.Report{Findings: []preflight.Finding{{Area: area, State: preflight.Wrong}}}); got != want {
			t.Errorf("with something wrong in %s a plan is made: %v", area, got)
		}
		if !Plans(preflight.Report{Findings: []preflight.Finding{{Area: area, State: preflight.Unknown}, {Area: area, State: preflight.Noted}}}) {
			t.Errorf("what is not known of %s stands in the way", area)
		}
	}
}

func TestTheGatesThatAreMissingAreNamed(t *testing.T) {
	refusal := func(gate string) error {
		return evidence.Refusal{Gate: gate, Kind: evidence.Missing, Reason: "no statement", Fix: "deploy to " + gate}
	}
	for name, c := range map[string]struct {
		err  error
		want []string
	}{
		"none":                      {nil, []string{"gate build good", "gate test good"}},
		"one":                       {refusal("test"), []string{"gate test to change", "gate build good"}},
		"both":                      {errors.Join(refusal("build"), refusal("test")), []string{"gate build to change", "gate test to change"}},
		"what concerns all":         {refusal(""), []string{"the image's evidence to change"}},
		"what could not be read is": {errors.New("no answer"), []string{"require to change"}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, brief(gates([]string{"build", "test"}, c.err))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWhatEarlierRunsLeftIsTold(t *testing.T) {
	release := &cluster.Release{ID: "1234567-abcdef", Run: "7-1"}
	for name, c := range map[string]struct {
		state        cluster.State
		closes, busy bool
		want         []string
	}{
		"nothing serves": {cluster.State{}, false, false, []string{"serving noted"}},
		"all is well":    {cluster.State{Serving: release}, false, false, []string{"serving good"}},
		"a dead run's candidate": {cluster.State{Serving: release, Candidate: release, Phase: "preparing"}, false, false,
			[]string{"serving good", "rollout noted"}},
		"an entrance that only a canary closes": {cluster.State{Serving: release, Entrance: &cluster.Entrance{Kind: "gateway"}}, false, false,
			[]string{"serving good", "entrance to change"}},
		"an entrance, and this is a canary":    {cluster.State{Serving: release, Entrance: &cluster.Entrance{}}, true, false, []string{"serving good", "entrance noted"}},
		"an entrance of a canary that is busy": {cluster.State{Serving: release, Entrance: &cluster.Entrance{}}, false, true, []string{"serving good", "entrance noted"}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, brief(leftovers(&c.state, c.closes, c.busy))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFixesNameWhatToAllow(t *testing.T) {
	const ecr, other = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/checkout", "registry.example.com/checkout"
	denied := &image.DeniedError{Repository: ecr, Err: errors.New("403")}
	for name, c := range map[string]struct{ got, want string }{
		"an image that is not there":  {pullFix(&image.NotFoundError{Repository: other}, other), "have it built first"},
		"a registry that is not":      {pullFix(&image.UnreachableError{Registry: "x", Err: errors.New("refused")}, other), "reaches the registry"},
		"ECR that refuses to pull":    {pullFix(denied, ecr), "`ecr:BatchGetImage`"},
		"a registry that refuses":     {pullFix(denied, other), "may pull"},
		"ECR that refuses to push":    {pushFix(ecr), "`ecr:PutImage`"},
		"another that refuses a push": {pushFix(other), "may push"},
	} {
		if !strings.Contains(c.got, c.want) {
			t.Errorf("%s: %q lacks %q", name, c.got, c.want)
		}
	}
	f := ofRef(secrets.Looked{Ref: secrets.Ref{Kind: secrets.Secret, ID: "a"}, Err: errors.New("no"), Fix: "make it"})
	if f.State != preflight.Wrong || f.Subject != "secret a" || f.Fix != "make it" {
		t.Errorf("got %+v", f)
	}
}
