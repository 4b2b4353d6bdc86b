package templates

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rhysd/actionlint"
)

func TestJobNamesAreUniqueOverAllTemplates(t *testing.T) {
	seen := make(map[string]string)
	for file, tmpl := range load(t) {
		for id := range tmpl.workflow.Jobs {
			if other, taken := seen[id]; taken {
				t.Errorf("job %q is in %s and in %s: a required check could be met by either", id, file, other)
			}
			seen[id] = file
		}
	}
}

func TestJobsAreBoundedInRightsAndTime(t *testing.T) {
	for file, tmpl := range load(t) {
		if p := tmpl.workflow.Permissions; p == nil || p.All != nil || len(p.Scopes) > 0 {
			t.Errorf("%s: want `permissions: {}` for the file, so that each job names its own", file)
		}
		for id, job := range tmpl.workflow.Jobs {
			if job.Permissions == nil || len(job.Permissions.Scopes) == 0 {
				t.Errorf("%s: job %s names no permissions", file, id)
			}
			if job.TimeoutMinutes == nil {
				t.Errorf("%s: job %s has no timeout-minutes", file, id)
			}
			if job.Environment != nil {
				t.Errorf("%s: job %s has an environment: GitHub would record every deployment twice", file, id)
			}
		}
	}
}

func TestDeploymentsQueueByServiceAndEnvironmentAndAreNotCancelled(t *testing.T) {
	for file, tmpl := range load(t) {
		actionSteps(tmpl, func(job *actionlint.Job, _ *actionlint.Step, uses *actionlint.ExecAction) {
			environment := uses.Inputs["environment"]
			if environment == nil {
				return
			}
			want := "promote-${{ vars.PROMOTE_SERVICE }}-" + group(tmpl, uses)
			if c := job.Concurrency; c == nil || c.Group.Value != want || c.CancelInProgress == nil || c.CancelInProgress.Value {
				t.Errorf("%s: job %s: want concurrency group %q and cancel-in-progress: false", file, job.ID.Value, want)
			}
			label := "promote-" + environment.Value.Value
			if l := job.RunsOn.Labels; len(l) != 2 || l[0].Value != "self-hosted" || l[1].Value != label {
				t.Errorf("%s: job %s: want runs-on: [self-hosted, %s]", file, job.ID.Value, label)
			}
		})
	}
}

// runsUnlessToldOtherwise is the mode of what a push starts, and a person for something else.
const runsUnlessToldOtherwise = "${{ inputs.mode || 'run' }}"

// group is how the deployments of an environment are told apart. Those of one pull request's preview wait for one another alone.
func group(tmpl template, uses *actionlint.ExecAction) string {
	switch mode := uses.Inputs["mode"]; {
	case mode != nil && mode.Value.Value == runsUnlessToldOtherwise:
		// What a person wants of the run that is at work must not wait for its end, and an abort for nothing at all.
		return uses.Inputs["environment"].Value.Value + "${{ inputs.mode && format('-{0}', inputs.mode) || '' }}"
	case recovers(uses):
		// It must not take the place of a deployment that waits.
		return "recover"
	case uses.Inputs["preview"] == nil:
		return uses.Inputs["environment"].Value.Value
	case tmpl.workflow.On[0].EventName() == "schedule":
		return "preview-sweep"
	}
	return "preview-${{ github.event.pull_request.number }}"
}

// recovers says whether a step makes safe what another run left.
func recovers(uses *actionlint.ExecAction) bool {
	mode := uses.Inputs["mode"]
	return mode != nil && mode.Value.Value == "recover"
}

// removes says whether a job takes something away and needs nothing of the repository for it.
func removes(tmpl template, job *actionlint.Job) bool {
	steps := job.Steps
	if uses, ok := steps[0].Exec.(*actionlint.ExecAction); ok && strings.HasPrefix(uses.Uses.Value, credentials) {
		steps = steps[1:]
	}
	uses, ok := steps[0].Exec.(*actionlint.ExecAction)
	if ok && recovers(uses) {
		return true
	}
	if !ok || len(steps) > 1 || uses.Inputs["preview"] == nil {
		return false
	}
	closes := job.If != nil && strings.Contains(job.If.Value, "github.event.action == 'closed' &&")
	return closes || tmpl.workflow.On[0].EventName() == "schedule"
}

func TestTheCheckedOutCommitIsNamedAndNoCredentialStays(t *testing.T) {
	refs := map[string]string{
		"push":                "${{ github.sha }}",
		"workflow_dispatch":   "${{ github.sha }}",
		"pull_request":        "${{ github.event.pull_request.head.sha }}",
		"pull_request_review": "${{ github.event.pull_request.head.sha }}",
	}
	for file, tmpl := range load(t) {
		checkouts := 0
		actionSteps(tmpl, func(job *actionlint.Job, _ *actionlint.Step, uses *actionlint.ExecAction) {
			if !strings.HasPrefix(uses.Uses.Value, "actions/checkout@") {
				return
			}
			checkouts++
			want := refs[tmpl.workflow.On[0].EventName()]
			if ref := uses.Inputs["ref"]; ref == nil || ref.Value.Value != want {
				t.Errorf("%s: job %s: want ref: %s", file, job.ID.Value, want)
			}
			if keep := uses.Inputs["persist-credentials"]; keep == nil || keep.Value.Value != "false" {
				t.Errorf("%s: job %s: want persist-credentials: false", file, job.ID.Value)
			}
		})
		jobs := 0
		for _, job := range tmpl.workflow.Jobs {
			if !removes(tmpl, job) {
				jobs++
			}
		}
		if checkouts != jobs {
			t.Errorf("%s: %d checkouts in %d jobs that need one", file, checkouts, jobs)
		}
	}
}

// A job of a fork's pull request may not reach a self-hosted runner: it would run the fork's code inside the VPC.
func TestForksStayOffSelfHostedRunners(t *testing.T) {
	const guard = "github.event.pull_request.head.repo.full_name == github.repository"
	for file, tmpl := range load(t) {
		if !strings.HasPrefix(tmpl.workflow.On[0].EventName(), "pull_request") {
			continue
		}
		for id, job := range tmpl.workflow.Jobs {
			guarded := job.If != nil && strings.Contains(job.If.Value, guard)
			if !guarded && len(job.Needs) == 0 { // a job that needs a skipped one is skipped itself
				t.Errorf("%s: job %s: want `if: %s`", file, id, guard)
			}
		}
	}
}

func TestEveryVariableIsExplained(t *testing.T) {
	common := load(t)["pull-request.yml"].text
	for file, tmpl := range load(t) {
		header, _, _ := strings.Cut(tmpl.text, "\nname:")
		shared, _, _ := strings.Cut(common, "\nname:")
		for _, use := range regexp.MustCompile(`vars\.(\w+)`).FindAllStringSubmatch(tmpl.text, -1) {
			if variable := "#   " + use[1] + " "; !strings.Contains(header+shared, variable) {
				t.Errorf("%s: the variable %s is explained neither at its top nor at that of pull-request.yml", file, use[1])
			}
		}
		for _, told := range regexp.MustCompile(`#   ([A-Z]+_\w+) `).FindAllStringSubmatch(header, -1) {
			if !regexp.MustCompile(`vars\.` + told[1] + `\b`).MatchString(tmpl.text) {
				t.Errorf("%s: the variable %s is explained but not used", file, told[1])
			}
		}
	}
}

func TestTheReadmeListsEveryTemplate(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join(folder, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for file := range load(t) {
		if !strings.Contains(string(readme), "("+file+")") {
			t.Errorf("%s is not in the README", file)
		}
	}
}
