package templates

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/rhysd/actionlint"
)

// credentials is the action that gets a job a role in AWS.
const credentials = "aws-actions/configure-aws-credentials@"

// roles are the variables with the role of each job that needs AWS. A job that is not here may not ask for a token to a cloud:
// unit-test runs whatever is pushed, and needs nothing.
var roles = map[string]string{
	"build-image": "vars.AWS_ROLE_BUILD", "build-preview": "vars.AWS_ROLE_BUILD",
	"deploy-test": "vars.AWS_ROLE_TEST", "deploy-preview": "vars.AWS_ROLE_TEST", "remove-preview": "vars.AWS_ROLE_TEST", "sweep-previews": "vars.AWS_ROLE_TEST",
	"deploy-stage": "vars.AWS_ROLE_STAGE",
	"canary-prod":  "vars.AWS_ROLE_PROD", "recover-prod": "vars.AWS_ROLE_PROD",
	"roll-back": "vars[format('AWS_ROLE_{0}', inputs.environment)]",
}

// One file serves runners with credentials of their own too, so the step is skipped where its variable is empty.
func TestRolesOfAWSAreAskedForByTheJobsThatNeedThem(t *testing.T) {
	seen := map[string]bool{}
	for file, tmpl := range load(t) {
		for id, job := range tmpl.workflow.Jobs {
			role := roles[id]
			seen[id] = role != ""
			var allowed bool
			if job.Permissions != nil {
				_, allowed = job.Permissions.Scopes["id-token"]
			}
			if allowed != (role != "") {
				t.Errorf("%s: job %s: id-token is asked for: %v; it has a role: %v", file, id, allowed, role != "")
			}
			step, before := roleStep(job)
			if role == "" {
				if step != nil {
					t.Errorf("%s: job %s takes a role and may not", file, id)
				}
				continue
			}
			if step == nil || !before {
				t.Errorf("%s: job %s: want one step of %s, right before the step of ours", file, id, credentials)
				continue
			}
			if step.If == nil || step.If.Value != role+" != ''" {
				t.Errorf("%s: job %s: want its role by `if: %s != ''`", file, id, role)
			}
			want := map[string]string{"role-to-assume": "${{ " + role + " }}", "aws-region": "${{ vars.PROMOTE_AWS_REGION }}"}
			if id == "canary-prod" {
				want["role-duration-seconds"] = "${{ vars.AWS_SESSION_SECONDS || 3600 }}"
			}
			if got := inputs(step); !maps.Equal(got, want) {
				t.Errorf("%s: job %s takes its role with %v, want %v", file, id, got, want)
			}
		}
	}
	for id := range roles {
		if !seen[id] {
			t.Errorf("there is no job %s", id)
		}
	}
}

// roleStep is the job's one step that takes a role, and whether it is the one right before the first step of ours.
func roleStep(job *actionlint.Job) (*actionlint.Step, bool) {
	first := slices.IndexFunc(job.Steps, func(s *actionlint.Step) bool { return uses(s, ours) })
	var found *actionlint.Step
	for i, step := range job.Steps {
		if !uses(step, credentials) {
			continue
		}
		if found != nil {
			return found, false
		}
		found, first = step, first-i
	}
	return found, first == 1
}

func TestTheReportOfACanaryIsKept(t *testing.T) {
	const upload = "actions/upload-artifact@"
	for file, tmpl := range load(t) {
		for id, job := range tmpl.workflow.Jobs {
			canary := slices.IndexFunc(job.Steps, func(s *actionlint.Step) bool {
				return uses(s, ours+"canary@") && inputs(s)["mode"] == runsUnlessToldOtherwise
			})
			kept := slices.IndexFunc(job.Steps, func(s *actionlint.Step) bool { return uses(s, upload) })
			if canary < 0 {
				if kept >= 0 {
					t.Errorf("%s: job %s uploads something and has no canary", file, id)
				}
				continue
			}
			if kept != canary+1 || job.Steps[canary].ID == nil || job.Steps[canary].ID.Value != "canary" {
				t.Errorf("%s: job %s: want `id: canary`, and a step of %s right behind it", file, id, upload)
				continue
			}
			// Whatever became of the canary; but one that had not begun has no report.
			if step := job.Steps[kept]; step.If == nil || step.If.Value != "always() && steps.canary.outputs.report != ''" {
				t.Errorf("%s: job %s: the report must be kept of every canary that has one", file, id)
			}
			want := map[string]string{
				"name": "canary-${{ github.run_attempt }}", "path": "${{ steps.canary.outputs.report }}\n${{ runner.temp }}/promote/*/run.json\n",
				"if-no-files-found": "error", "retention-days": "90",
			}
			if got := inputs(job.Steps[kept]); !maps.Equal(got, want) {
				t.Errorf("%s: job %s keeps %q, want %q", file, id, got, want)
			}
		}
	}
}

// uses says whether a step is one of the action whose name begins so.
func uses(step *actionlint.Step, prefix string) bool {
	action, ok := step.Exec.(*actionlint.ExecAction)
	return ok && strings.HasPrefix(action.Uses.Value, prefix)
}

// inputs are what an action's step is given.
func inputs(step *actionlint.Step) map[string]string {
	given := map[string]string{}
	if action, ok := step.Exec.(*actionlint.ExecAction); ok {
		for name, input := range action.Inputs {
			given[name] = input.Value.Value
		}
	}
	return given
}
