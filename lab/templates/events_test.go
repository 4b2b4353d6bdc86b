package templates

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/rhysd/actionlint"
)

// starts are the events of each template, in words: what comes too often costs runners, what comes too seldom is not promoted.
// A pull request that closes is preview.yml's: nothing else has something to take away then.
var starts = map[string][]string{
	"unit-test.yml":      {"push branches=**"},
	"pull-request.yml":   {"pull_request types=opened,synchronize,reopened,ready_for_review"},
	"approval.yml":       {"pull_request_review types=submitted"},
	"production.yml":     {"push branches=main", "workflow_dispatch"},
	"recover.yml":        {"schedule */10 * * * *", "workflow_run types=completed workflows=production", "workflow_dispatch"},
	"rollback.yml":       {"workflow_dispatch"},
	"preview.yml":        {"pull_request types=opened,synchronize,reopened,closed"},
	"sweep-previews.yml": {"schedule 23 * * * *", "workflow_dispatch"},
}

func TestTemplatesStartOnTheirEventsAlone(t *testing.T) {
	all := load(t)
	for file, tmpl := range all {
		var got []string
		for _, event := range tmpl.workflow.On {
			got = append(got, inWords(event))
		}
		if !slices.Equal(got, starts[file]) {
			t.Errorf("%s starts on %q, want %q", file, got, starts[file])
		}
		for _, event := range tmpl.workflow.On {
			// What names another workflow is nothing when that one is called otherwise.
			if w, ok := event.(*actionlint.WebhookEvent); ok {
				for _, name := range w.Workflows {
					if followed, there := all[name.Value+".yml"]; !there || followed.workflow.Name.Value != name.Value {
						t.Errorf("%s follows the workflow %q, which is none of the templates'", file, name.Value)
					}
				}
			}
		}
	}
	for file := range starts {
		if _, there := all[file]; !there {
			t.Errorf("there is no %s", file)
		}
	}
}

// inWords tells an event with all that narrows it.
func inWords(event actionlint.Event) string {
	words := []string{event.EventName()}
	list := func(name string, values []*actionlint.String) {
		var texts []string
		for _, v := range values {
			texts = append(texts, v.Value)
		}
		if len(texts) > 0 {
			words = append(words, name+strings.Join(texts, ","))
		}
	}
	filter := func(name string, f *actionlint.WebhookEventFilter) {
		if f != nil {
			list(name, f.Values)
		}
	}
	switch e := event.(type) {
	case *actionlint.ScheduledEvent:
		for _, entry := range e.Schedules {
			list("", []*actionlint.String{entry.Cron})
		}
	case *actionlint.WebhookEvent:
		list("types=", e.Types)
		filter("branches=", e.Branches)
		filter("branches-ignore=", e.BranchesIgnore)
		filter("tags=", e.Tags)
		filter("tags-ignore=", e.TagsIgnore)
		filter("paths=", e.Paths)
		filter("paths-ignore=", e.PathsIgnore)
		list("workflows=", e.Workflows)
	}
	return strings.Join(words, " ")
}

// jobs are where each job runs and what its token may do. That it may do enough is seen in the lab, where GitHub's double refuses what
// a token was not given; that it may do no more is seen here. `id-token` is what TestRolesOfAWSAreAskedForByTheJobsThatNeedThem is about.
var jobs = map[string]struct{ runner, permissions string }{
	"unit-test":      {"ubuntu-latest", "contents=read pull-requests=read statuses=write"},
	"build-image":    {"self-hosted promote-test", "contents=read id-token=write statuses=write"},
	"deploy-test":    {"self-hosted promote-test", "contents=read deployments=write id-token=write pull-requests=write statuses=write"},
	"deploy-stage":   {"self-hosted promote-stage", "contents=read deployments=write id-token=write pull-requests=write statuses=write"},
	"canary-prod":    {"self-hosted promote-prod", "contents=read deployments=write id-token=write pull-requests=write statuses=write"},
	"recover-prod":   {"self-hosted promote-prod", "id-token=write statuses=write"},
	"roll-back":      {"self-hosted promote-${{ inputs.environment }}", "contents=read deployments=write id-token=write pull-requests=write statuses=write"},
	"build-preview":  {"self-hosted promote-test", "contents=read id-token=write statuses=write"},
	"deploy-preview": {"self-hosted promote-test", "contents=read deployments=write id-token=write pull-requests=write statuses=write"},
	"remove-preview": {"self-hosted promote-test", "deployments=write id-token=write pull-requests=write"},
	"sweep-previews": {"self-hosted promote-test", "deployments=write id-token=write pull-requests=write"},
}

func TestJobsHaveNoMoreRightsThanTheyNeedAndRunInTheirNetwork(t *testing.T) {
	seen := map[string]bool{}
	for file, tmpl := range load(t) {
		for id, job := range tmpl.workflow.Jobs {
			seen[id] = true
			var scopes, labels []string
			if job.Permissions != nil {
				for _, name := range slices.Sorted(maps.Keys(job.Permissions.Scopes)) {
					scopes = append(scopes, name+"="+job.Permissions.Scopes[name].Value.Value)
				}
			}
			for _, label := range job.RunsOn.Labels {
				labels = append(labels, label.Value)
			}
			if got := strings.Join(scopes, " "); got != jobs[id].permissions {
				t.Errorf("%s: job %s has the permissions %q, want %q", file, id, got, jobs[id].permissions)
			}
			if got := strings.Join(labels, " "); got != jobs[id].runner {
				t.Errorf("%s: job %s runs on %q, want %q", file, id, got, jobs[id].runner)
			}
		}
	}
	for id := range jobs {
		if !seen[id] {
			t.Errorf("there is no job %s", id)
		}
	}
}
