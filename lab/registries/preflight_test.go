package registries

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/org/promote/lab/aws"
	"github.com/org/promote/pkg/image"
)

func TestPreflightOfTags(t *testing.T) {
	moving := []string{"test", "buildcache"}
	for name, c := range map[string]struct {
		setting  string
		filters  []string
		warnings int
		want     []string // in warnings and error together
		error    bool
		set      string // filters of the command
	}{
		"what promote wants":    {setting: aws.ImmutableWithExclusion, filters: []string{"test", "buildcache", "sha256-*"}},
		"a wildcard is as good": {setting: aws.ImmutableWithExclusion, filters: []string{"te*t", "*cache", "sha*-*"}},
		"mutable is a warning": {setting: aws.Mutable, warnings: 1,
			want: []string{"can be moved to another image by anybody who may push"}, set: "test buildcache sha256-*"},
		"immutable without exclusion cannot move the marker": {setting: aws.Immutable, warnings: 1, error: true,
			want: []string{`so "test" and "buildcache" cannot move`, "one piece of evidence alone"}, set: "test buildcache sha256-*"},
		"another tag excluded is kept in the command": {setting: aws.ImmutableWithExclusion, filters: []string{"latest", "sha256-*"}, error: true,
			want: []string{"with latest, sha256-* excluded"}, set: "test buildcache sha256-* latest"},
		"one of two missing is named alone": {setting: aws.ImmutableWithExclusion, filters: []string{"test", "sha256-*"}, error: true,
			want: []string{`so "buildcache" cannot move`}, set: "test buildcache sha256-*"},
		"everything excluded leaves commits mutable": {setting: aws.ImmutableWithExclusion, filters: []string{"*"}, warnings: 1,
			want: []string{"can be moved to another image"}, set: "test buildcache sha256-*"},
		"a filter that only some commits match": {setting: aws.ImmutableWithExclusion, filters: []string{"a*", "test", "buildcache", "sha256-*"}, warnings: 1,
			want: []string{"can be moved to another image"}, set: "test buildcache sha256-*"},
		"mutable with commits excluded only in part": {setting: aws.MutableWithExclusion, filters: []string{"a*", "tree-*"}, warnings: 1,
			want: []string{"can be moved to another image"}, set: "test buildcache sha256-*"},
		"mutable with the marker excluded": {setting: aws.MutableWithExclusion, filters: []string{"te*"}, warnings: 1, error: true,
			want: []string{`so "test" cannot move`}, set: "test buildcache sha256-* te*"},
		"no referrers in tags is a warning": {setting: aws.ImmutableWithExclusion, filters: []string{"test", "buildcache"}, warnings: 1,
			want: []string{"one piece of evidence alone"}, set: "test buildcache sha256-*"},
		"too many filters are said to be too many": {setting: aws.ImmutableWithExclusion, filters: []string{"v1", "v2", "v3", "v4"}, warnings: 1, error: true,
			want: []string{"that is 7 filters and Amazon takes 5"}, set: "test buildcache sha256-* v1 v2 v3 v4"},
	} {
		t.Run(name, func(t *testing.T) {
			full := repository(t, "eu-central-1")
			mutability(t, full, c.setting, c.filters...)
			warnings, err := image.PreflightECR(t.Context(), full, moving...)
			if len(warnings) != c.warnings || (err != nil) != c.error {
				t.Errorf("warnings %q, error %v; want %d warnings, error %v", warnings, err, c.warnings, c.error)
			}
			all := strings.Join(append(warnings, fmt.Sprint(err)), "\n")
			for _, want := range c.want {
				if !strings.Contains(all, want) {
					t.Errorf("%s\ndoes not say %q", all, want)
				}
			}
			var commands []string
			if c.set != "" {
				_, name := place(full)
				command := "aws ecr put-image-tag-mutability --region eu-central-1 --registry-id 000000000000 --repository-name " + name +
					" --image-tag-mutability IMMUTABLE_WITH_EXCLUSION --image-tag-mutability-exclusion-filters"
				for _, filter := range strings.Fields(c.set) {
					command += " 'filterType=WILDCARD,filter=" + filter + "'"
				}
				commands = append(commands, command)
			}
			var got []string
			for line := range strings.Lines(all) {
				if i := strings.Index(line, "aws ecr "); i >= 0 {
					got = append(got, strings.TrimSpace(line[i:]))
				}
			}
			if diff := cmp.Diff(commands, got); diff != "" {
				t.Errorf("commands (-want +got):\n%s", diff)
			}
		})
	}
	t.Run("the command that it prints makes it content", func(t *testing.T) {
		full := repository(t, "eu-central-1")
		mutability(t, full, aws.Immutable)
		_, err := image.PreflightECR(t.Context(), full, moving...)
		if err == nil {
			t.Fatal("immutable tags are no problem")
		}
		var filters []string
		for _, part := range strings.Split(err.Error(), "filter=")[1:] {
			filter, _, _ := strings.Cut(part, "'")
			filters = append(filters, filter)
		}
		mutability(t, full, aws.ImmutableWithExclusion, filters...)
		warnings, err := image.PreflightECR(t.Context(), full, moving...)
		if len(warnings) > 0 || err != nil {
			t.Errorf("after the command: %q, %v", warnings, err)
		}
	})
}

func TestPreflightOfLifecycleRules(t *testing.T) {
	rule := func(priority int, selection string) string {
		return fmt.Sprintf(`{"rulePriority":%d,"description":"rule %d","selection":{%s},"action":{"type":"expire"}}`, priority, priority, selection)
	}
	const (
		count = `"countType":"imageCountMoreThan","countNumber":50`
		age   = `"countType":"sinceImagePushed","countUnit":"days","countNumber":14`
		pull  = `"countType":"sinceImagePulled","countUnit":"days","countNumber":30`
		keep  = `"countType":"imageCountMoreThan","countNumber":5000`
	)
	for name, c := range map[string]struct {
		rules []string
		want  []string // a part of each warning
	}{
		"untagged images are nobody's":                   {rules: []string{rule(1, `"tagStatus":"untagged",`+age)}},
		"all images by number":                           {rules: []string{rule(1, `"tagStatus":"any",`+count)}, want: []string{`rule 1 ("rule 1") deletes all images beyond the newest 50`}},
		"all images by age":                              {rules: []string{rule(1, `"tagStatus":"any",`+age)}, want: []string{"deletes all images 14 days after the push; an image is as old as its first push"}},
		"all images by the last pull":                    {rules: []string{rule(1, `"tagStatus":"any",`+pull)}, want: []string{"not pulled for 30 days; nodes that have an image do not pull it again"}},
		"tree tags by prefix":                            {rules: []string{rule(1, `"tagStatus":"tagged","tagPrefixList":["tree-"],`+age)}, want: []string{"images with tags like tree-*"}},
		"some commits by prefix":                         {rules: []string{rule(1, `"tagStatus":"tagged","tagPrefixList":["ab"],`+age)}, want: []string{"images with tags like ab*"}},
		"some commits by pattern":                        {rules: []string{rule(1, `"tagStatus":"tagged","tagPatternList":["*f00d*"],`+count)}, want: []string{"images with tags like *f00d*"}},
		"the marker":                                     {rules: []string{rule(1, `"tagStatus":"tagged","tagPatternList":["tes*"],`+age)}, want: []string{"images with tags like tes*"}},
		"tags of others":                                 {rules: []string{rule(1, `"tagStatus":"tagged","tagPrefixList":["nightly-"],`+age)}},
		"a list selects only what has all of its tags":   {rules: []string{rule(1, `"tagStatus":"tagged","tagPrefixList":["tree-","nightly-"],`+age)}},
		"a far horizon is meant to keep":                 {rules: []string{rule(1, `"tagStatus":"any",`+keep)}},
		"a rule before it that keeps all of promote's":   {rules: []string{rule(9, `"tagStatus":"any",`+age), rule(1, `"tagStatus":"tagged","tagPatternList":["tree-*"],`+keep)}},
		"a rule before it that keeps some is not enough": {rules: []string{rule(1, `"tagStatus":"tagged","tagPatternList":["a*"],`+keep), rule(2, `"tagStatus":"any",`+age)}, want: []string{"rule 2"}},
		"a rule after it is too late":                    {rules: []string{rule(2, `"tagStatus":"tagged","tagPatternList":["tree-*"],`+keep), rule(1, `"tagStatus":"tagged","tagPatternList":["*"],`+age)}, want: []string{"rule 1"}},
		"two rules are two warnings, first the first":    {rules: []string{rule(2, `"tagStatus":"any",`+age), rule(1, `"tagStatus":"tagged","tagPatternList":["b*"],`+count)}, want: []string{"rule 1", "rule 2"}},
		"what comes after a rule that takes all is moot": {rules: []string{rule(1, `"tagStatus":"tagged","tagPatternList":["tree-*"],`+count), rule(2, `"tagStatus":"any",`+age)}, want: []string{"rule 1"}},
	} {
		t.Run(name, func(t *testing.T) {
			full := repository(t, "eu-central-1")
			region, short := place(full)
			check(t, amazon.PutLifecyclePolicy(region, short, `{"rules":[`+strings.Join(c.rules, ",")+`]}`))
			warnings, err := image.PreflightECR(t.Context(), full, "test")
			check(t, err)
			if len(warnings) != len(c.want) {
				t.Fatalf("warnings %q, want %d", warnings, len(c.want))
			}
			for i, want := range c.want {
				if !strings.Contains(warnings[i], want) || !strings.Contains(warnings[i], full) {
					t.Errorf("%q does not say %q", warnings[i], want)
				}
			}
		})
	}
}

func TestPreflightOfTheRepository(t *testing.T) {
	t.Run("one that does not exist comes with the command that makes it", func(t *testing.T) {
		full := strings.Replace(repository(t, "eu-central-1"), "/team/", "/teem/", 1)
		t.Setenv("AWS_REGION", "us-east-1")
		_, err := image.PreflightECR(t.Context(), full, "test")
		var missing *image.NoRepositoryError
		if !errors.As(err, &missing) || missing.Repository != full {
			t.Fatalf("got %v, want a NoRepositoryError", err)
		}
		for _, want := range []string{"aws ecr create-repository --region eu-central-1 ", "--repository-name teem/", "set up for region us-east-1"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%v\ndoes not say %q", err, want)
			}
		}
	})
	t.Run("settings that may not be read are warnings with both actions", func(t *testing.T) {
		full := repository(t, "eu-central-1")
		as(t, aws.Key{AccessKey: "AKIAPUSH", SecretKey: "x", Allow: []string{""}, Deny: []string{"ecr:DescribeRepositories", "ecr:GetLifecyclePolicy"}})
		warnings, err := image.PreflightECR(t.Context(), full, "test")
		check(t, err)
		if len(warnings) != 2 {
			t.Fatalf("warnings %q, want 2", warnings)
		}
		_, name := place(full)
		for i, action := range []string{"ecr:DescribeRepositories", "ecr:GetLifecyclePolicy"} {
			want := "the role needs " + action + " on arn:aws:ecr:eu-central-1:000000000000:repository/" + name
			if !strings.Contains(warnings[i], want) {
				t.Errorf("%q does not say %q", warnings[i], want)
			}
		}
	})
	t.Run("a stuck marker and a rule that deletes come together", func(t *testing.T) {
		full := repository(t, "eu-central-1")
		mutability(t, full, aws.Immutable)
		region, name := place(full)
		check(t, amazon.PutLifecyclePolicy(region, name,
			`{"rules":[{"rulePriority":1,"selection":{"tagStatus":"any","countType":"imageCountMoreThan","countNumber":3},"action":{"type":"expire"}}]}`))
		warnings, err := image.PreflightECR(t.Context(), full, "test")
		if err == nil || !strings.Contains(strings.Join(warnings, "\n"), "lifecycle rule 1 deletes") {
			t.Errorf("warnings %q, error %v", warnings, err)
		}
	})
	t.Run("another registry has nothing to compare", func(t *testing.T) {
		for _, other := range []string{"registry.example/team/checkout", "public.ecr.aws/team/checkout"} {
			warnings, err := image.PreflightECR(t.Context(), other, "test")
			if warnings != nil || err != nil {
				t.Errorf("%s: %q, %v", other, warnings, err)
			}
		}
	})
}
