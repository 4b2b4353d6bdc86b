package provenance

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	slsa "github.com/in-toto/attestation/go/predicates/provenance/v1"
	"google.golang.org/protobuf/encoding/protojson"
)

func whole() Build {
	return Build{
		Repository: "https://github.com/team/checkout", Commit: strings.Repeat("a1", 20), Ref: "refs/heads/free-shipping",
		Context: ".", Dockerfile: "Dockerfile", Target: "run", Platforms: []string{"linux/arm64", "linux/amd64"},
		Arguments: []string{"VERSION", "GOFLAGS"}, Secrets: []string{"npm"},
		Builder: "buildx", Epoch: time.Unix(1700000000, 0), Recipe: strings.Repeat("0", 64),
		Bases:  []Base{{Repository: "registry.example/base", Digest: "sha256:" + strings.Repeat("b2", 32)}},
		Server: "https://github.com", Workflow: "team/checkout/.github/workflows/promote.yml@refs/heads/main", WorkflowCommit: strings.Repeat("c3", 20),
		Runner: "self-hosted", Version: "v1.2.3", RunURL: "https://github.com/team/checkout/actions/runs/42/attempts/2",
		Started: time.Unix(1700000100, 999), Finished: time.Unix(1700000160, 0),
	}
}

const want = `{
  "buildDefinition": {
    "buildType": "https://github.com/org/promote/actions/build/provenance/v1",
    "externalParameters": {
      "buildArgs": ["GOFLAGS", "VERSION"], "buildSecrets": ["npm"], "commit": "a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1",
      "context": ".", "dockerfile": "Dockerfile", "platforms": ["linux/amd64", "linux/arm64"], "ref": "refs/heads/free-shipping",
      "repository": "https://github.com/team/checkout", "target": "run"
    },
    "internalParameters": {
      "builder": "buildx", "recipe": "0000000000000000000000000000000000000000000000000000000000000000", "sourceDateEpoch": 1700000000
    },
    "resolvedDependencies": [
      {
        "uri": "git+https://github.com/team/checkout@refs/heads/free-shipping",
        "digest": {"gitCommit": "a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1"}
      },
      {"uri": "oci://registry.example/base", "digest": {"sha256": "b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2"}}
    ]
  },
  "runDetails": {
    "builder": {
      "id": "https://github.com/team/checkout/.github/workflows/promote.yml@refs/heads/main",
      "version": {"promote": "v1.2.3", "runner": "self-hosted"},
      "builderDependencies": [
        {"name": "team/checkout/.github/workflows/promote.yml", "digest": {"gitCommit": "c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3"}}
      ]
    },
    "metadata": {
      "invocationId": "https://github.com/team/checkout/actions/runs/42/attempts/2",
      "startedOn": "2023-11-14T22:15:00Z", "finishedOn": "2023-11-14T22:16:00Z"
    }
  }
}`

func TestPredicateSaysWhereAnImageComesFrom(t *testing.T) {
	got, err := Predicate(whole())
	if err != nil {
		t.Fatal(err)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, []byte(want)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(parsed(t, compact.Bytes()), parsed(t, got)); diff != "" {
		t.Errorf("predicate (-want +got):\n%s", diff)
	}
	for range 20 {
		if again, err := Predicate(whole()); err != nil || !bytes.Equal(got, again) {
			t.Fatalf("the same build gives other bytes: %v\n%s\n%s", err, got, again)
		}
	}
}

func parsed(t *testing.T, text []byte) map[string]any {
	t.Helper()
	var all map[string]any
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestPredicateReadsAsSLSAProvenance(t *testing.T) {
	small := whole()
	small.Commit, small.Ref, small.Target, small.Platforms = strings.Repeat("d", 64), "", "", nil
	small.Arguments, small.Secrets, small.Bases, small.WorkflowCommit, small.Runner, small.Recipe = nil, nil, nil, "", "", ""
	for name, b := range map[string]Build{"a whole build": whole(), "a build that says little, of a SHA-256 commit": small} {
		t.Run(name, func(t *testing.T) {
			text, err := Predicate(b)
			if err != nil {
				t.Fatal(err)
			}
			// Unknown fields are an error here.
			var p slsa.Provenance
			if err := protojson.Unmarshal(text, &p); err != nil {
				t.Fatal(err)
			}
			if err := p.Validate(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestEverythingThatIsMissingIsReportedAtOnce(t *testing.T) {
	_, err := Predicate(Build{Commit: "main", Arguments: []string{"TOKEN=hunter2"}, Secrets: []string{""}, Bases: []Base{{Repository: "x", Digest: "latest"}}, WorkflowCommit: "x"})
	if err == nil {
		t.Fatal("Predicate() takes it")
	}
	for _, want := range []string{
		"the repository", "the run", "the server", `commit "main"`, `the workflow's commit "x"`, "its workflow", "its builder", "its version of promote",
		"build argument 1", "build secret 1", `base image "x@latest"`, "times",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in:\n%v", want, err)
		}
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("a value that came with its name stands in: %v", err)
	}
}

func TestALoginInAURLIsRefusedAndNotShown(t *testing.T) {
	for name, repository := range map[string]string{
		"in a good URL": "https://ci:hunter2@github.com/team/checkout", "in a bad one": "https://ci:hunter2@github.com:port/%zz",
	} {
		b := whole()
		b.Repository = repository
		_, err := Predicate(b)
		if err == nil || !strings.Contains(err.Error(), "the repository") {
			t.Errorf("%s: Predicate() = %v", name, err)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the password stands in %v", name, err)
		}
	}
}

func TestABuildThatEndsBeforeItBeginsIsRefused(t *testing.T) {
	b := whole()
	b.Finished = b.Started.Add(-time.Minute)
	if _, err := Predicate(b); err == nil || !strings.Contains(err.Error(), "before it began") {
		t.Errorf("Predicate() = %v", err)
	}
}
