//go:build lab

package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/org/promote/lab/aws"
)

func TestBuildInAmazonsRegistry(t *testing.T) {
	t.Parallel() // it has a registry of its own
	a := newAmazon(t)
	repository := a.repository("wanted", aws.ImmutableWithExclusion, "test", "sha256-*")
	head, event := a.change("one")
	logins := a.asked("GetAuthorizationToken")
	first := a.build(repository, event)
	logins = a.asked("GetAuthorizationToken") - logins
	digest := first.outputs["digest"]

	t.Run("the wanted setting lets it pass without a word", func(t *testing.T) {
		a := a.in(t)
		if first.code != 0 || !digestLike.MatchString(digest) || first.outputs["reused"] != "false" || first.outputs["tags"] == "" {
			t.Fatalf("exit code %d, outputs %v:\n%s", first.code, first.outputs, first.output)
		}
		if warnings := aboutSettings(first); len(warnings) > 0 {
			t.Errorf("it warns of %q", warnings)
		}
		for _, tag := range []string{head, "test"} {
			if got := a.holds(repository, tag); got != digest {
				t.Errorf("tag %s holds %q, want %s", tag, got, digest)
			}
		}
	})
	t.Run("one login serves the run", func(t *testing.T) {
		if logins != 1 {
			t.Errorf("%d logins, want 1", logins)
		}
	})
	t.Run("a second run of the commit succeeds", func(t *testing.T) {
		a := a.in(t)
		again := a.build(repository, event)
		if again.code != 0 || again.outputs["digest"] != digest || again.outputs["reused"] != "true" {
			t.Errorf("exit code %d, outputs %v:\n%s", again.code, again.outputs, again.output)
		}
	})
	t.Run("one that builds again gives the same image and succeeds too", func(t *testing.T) {
		a := a.in(t)
		// A file that git ignores may be part of the image, so an image that was built without it is not taken.
		a.must(os.WriteFile(filepath.Join(a.clone, ".git", "info", "exclude"), []byte("local\n"), 0o600), os.WriteFile(filepath.Join(a.clone, "local"), nil, 0o600))
		again := a.build(repository, event)
		a.must(os.Remove(filepath.Join(a.clone, "local")))
		if again.code != 0 || again.outputs["digest"] != digest || again.outputs["reused"] != "false" {
			t.Errorf("exit code %d, outputs %v:\n%s", again.code, again.outputs, again.output)
		}
	})
	t.Run("the next commit moves the marker alone", func(t *testing.T) {
		a := a.in(t)
		next, event := a.change("two")
		res := a.build(repository, event)
		if res.code != 0 || res.outputs["digest"] == digest {
			t.Fatalf("exit code %d, outputs %v:\n%s", res.code, res.outputs, res.output)
		}
		want := map[string]string{head: digest, next: res.outputs["digest"], "test": res.outputs["digest"]}
		got := map[string]string{}
		for tag := range want {
			got[tag] = a.holds(repository, tag)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("tags (-want +got):\n%s", diff)
		}
	})
	t.Run("a base in Amazon's registry is pulled with the same credentials", func(t *testing.T) {
		a := a.in(t)
		_, event := a.change("three")
		res := a.build(repository, event, "INPUT_BASE="+repository+"@"+digest)
		if res.code != 0 || res.outputs["reused"] != "false" {
			t.Errorf("exit code %d, outputs %v:\n%s", res.code, res.outputs, res.output)
		}
	})
	t.Run("a marker that can't move any more, to an image that is there, comes with the command", func(t *testing.T) {
		a := a.in(t)
		a.must(a.aws.PutImageTagMutability(amazonRegion, "team/wanted", aws.Immutable))
		_, head, event := a.pull("revert", map[string]string{"app.txt": "one\n"})
		a.wantSetting(a.build(repository, event), head, "because the tag is immutable", settingCommand("put-image-tag-mutability", repository, "test", "sha256-*"))
	})
	t.Run("no docker configuration was written in all of that, and no login is left", func(t *testing.T) {
		a := a.in(t)
		if diff := cmp.Diff(map[string]string{"DOCKER_CONFIG/config.json": othersLogin}, a.left()); diff != "" {
			t.Errorf("files of the runner (-want +got):\n%s", diff)
		}
	})
}

// TestBuildNamesTheSettingToChange is what a person reads whose repository does not suit.
func TestBuildNamesTheSettingToChange(t *testing.T) {
	t.Parallel() // it has a registry of its own
	a := newAmazon(t)
	t.Run("immutable tags stop it, and the command that it prints makes it pass", func(t *testing.T) {
		a := a.in(t)
		repository := a.repository("immutable", aws.Immutable)
		head, event := a.change("immutable")
		res := a.build(repository, event)
		command := settingCommand("put-image-tag-mutability", repository, "test", "sha256-*")
		a.wantSetting(res, head, `tag mutability is IMMUTABLE, so "test" cannot move to a newer image; set it with`, command)
		if got := a.holds(repository, head); got != "" {
			t.Errorf("the commit's tag holds %s", got)
		}
		a.must(a.aws.PutImageTagMutability(amazonRegion, "team/immutable", aws.ImmutableWithExclusion, "test", "sha256-*"))
		if res := a.build(repository, event); res.code != 0 || a.holds(repository, "test") != res.outputs["digest"] {
			t.Errorf("after the command: exit code %d, outputs %v:\n%s", res.code, res.outputs, res.output)
		}
	})
	t.Run("a repository that is not there comes with the command that makes it", func(t *testing.T) {
		a := a.in(t)
		repository := strings.Replace(a.repository("there", aws.Mutable), "/there", "/not-there", 1)
		head, event := a.change("missing")
		res := a.build(repository, event)
		a.wantSetting(res, head, "opening repository ", "it does not exist in account 000000000000, region eu-central-1", settingCommand("create-repository", repository, "test", "sha256-*"), "change the input `image`")
	})
	t.Run("who may not log in is told the action", func(t *testing.T) {
		a := a.in(t)
		repository := a.repository("no-login", aws.ImmutableWithExclusion, "test", "sha256-*")
		a.must(a.aws.AddKey(aws.Key{AccessKey: "AKIANOLOGIN", SecretKey: "x", Allow: []string{""}, Deny: []string{"ecr:GetAuthorizationToken"}}))
		head, event := a.change("no-login")
		res := a.build(repository, event, "AWS_ACCESS_KEY_ID=AKIANOLOGIN", "AWS_SECRET_ACCESS_KEY=x")
		a.wantSetting(res, head, `the role needs ecr:GetAuthorizationToken on resource "*"`)
	})
	for _, c := range []struct {
		name, short, setting string
		lifecycle            string
		want                 []string
	}{
		{
			name: "mutable tags are a warning", short: "mutable", setting: aws.Mutable,
			want: []string{"the tag of a commit or a tree can be moved to another image by anybody who may push; set it with\n  "},
		},
		{
			name: "a lifecycle rule that takes a promoted image is a warning", short: "expiring", setting: aws.ImmutableWithExclusion,
			lifecycle: `{"rules":[{"rulePriority":1,"description":"keep ten","selection":{"tagStatus":"any","countType":"imageCountMoreThan","countNumber":10},"action":{"type":"expire"}}]}`,
			want: []string{
				`lifecycle rule 1 ("keep ten") deletes all images beyond the newest 10`,
				`put a rule before it, with a lower rulePriority, that selects tagPatternList ["tree-*"] and keeps 1000 images or more`,
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := a.in(t)
			var filters []string
			if c.setting == aws.ImmutableWithExclusion {
				filters = []string{"test", "sha256-*"}
			} else {
				c.want = append(c.want, settingCommand("put-image-tag-mutability", "/team/"+c.short, "test", "sha256-*"))
			}
			repository := a.repository(c.short, c.setting, filters...)
			a.must(a.aws.PutLifecyclePolicy(amazonRegion, "team/"+c.short, c.lifecycle))
			_, event := a.change(c.short)
			res := a.build(repository, event)
			if res.code != 0 || !digestLike.MatchString(res.outputs["digest"]) {
				t.Fatalf("exit code %d, outputs %v:\n%s", res.code, res.outputs, res.output)
			}
			warnings := aboutSettings(res)
			if len(warnings) != 1 || !strings.Contains(warnings[0], repository) {
				t.Fatalf("warnings %q, want one about %s", warnings, repository)
			}
			for _, text := range c.want {
				if !strings.Contains(warnings[0], text) {
					t.Errorf("the warning does not say %s:\n%s", text, warnings[0])
				}
			}
		})
	}
}
