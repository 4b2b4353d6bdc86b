package command

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// runner is what a self-hosted runner in AWS may have.
var runner = []string{
	"PATH=/bin", "HOME=/home/runner", "LC_ALL=C", "CI=true", "GITHUB_SHA=abc", "GOCACHE=/cache", "https_proxy=http://user:word@proxy:3128",
	"GOPROXY=https://token@packages.example.com", "JAVA_HOME_21_X64=/java",
	"GITHUB_TOKEN=t", "GITHUB_OUTPUT=/o", "GITHUB_ENV=/e", "GITHUB_PATH=/p", "GITHUB_STATE=/s", "GITHUB_STEP_SUMMARY=/m", "GITHUB_EVENT_PATH=/event.json",
	"ACTIONS_RUNTIME_TOKEN=r", "ACTIONS_ID_TOKEN_REQUEST_TOKEN=i", "ACTIONS_CACHE_URL=u", "INPUT_GITHUB_TOKEN=x", "AWS_SECRET_ACCESS_KEY=k",
	"AWS_ACCESS_KEY_ID=a", "KUBECONFIG=/k", "DOCKER_CONFIG=/d", "BASH_ENV=/b", "LD_PRELOAD=/l", "DATABASE_URL=postgres://db", "PROMOTE_RUNNER_ENVIRONMENT=test",
}

func TestEnviron(t *testing.T) {
	plain := []string{"PATH=/bin", "HOME=/home/runner", "LC_ALL=C", "CI=true", "GITHUB_SHA=abc", "GOCACHE=/cache", "https_proxy=http://user:word@proxy:3128", "JAVA_HOME_21_X64=/java"}
	for name, test := range map[string]struct{ named, more []string }{
		"what could steer a later step or open a door is left out":  {nil, nil},
		"what is named is passed on":                                {[]string{"DATABASE_URL"}, []string{"DATABASE_URL=postgres://db"}},
		"what is given is set, also over what the runner has":       {[]string{"DATABASE_URL=postgres://other", "A="}, []string{"DATABASE_URL=postgres://other", "A="}},
		"what is named and not there is not made up":                {[]string{"NOWHERE"}, nil},
		"a credential is passed on to those who name it explicitly": {[]string{"AWS_ACCESS_KEY_ID"}, []string{"AWS_ACCESS_KEY_ID=a"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, _ := Environ(runner, test.named)
			if diff := cmp.Diff(append(append([]string{}, plain...), test.more...), got); diff != "" {
				t.Error(diff)
			}
		})
	}
	t.Run("the names of what was left out are told, except for what nobody may have", func(t *testing.T) {
		_, withheld := Environ(runner, []string{"DATABASE_URL"})
		want := []string{
			"ACTIONS_CACHE_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "ACTIONS_RUNTIME_TOKEN", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "DOCKER_CONFIG",
			"GITHUB_EVENT_PATH", "GITHUB_TOKEN", "GOPROXY", "KUBECONFIG", "LD_PRELOAD",
		}
		if diff := cmp.Diff(want, withheld); diff != "" {
			t.Error(diff)
		}
	})
}

func TestCheckNamed(t *testing.T) {
	if err := CheckNamed([]string{"DATABASE_URL", "A=b=c\nd", "_x1"}); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{"", "A B", "1A", "GITHUB_ENV", "GITHUB_OUTPUT=/x", "INPUT_TOKEN", "PROMOTE_URL=http://x", "BASH_ENV", "=x", "a-b=c"} {
		if CheckNamed([]string{bad}) == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func TestParseNamed(t *testing.T) {
	got := ParseNamed("\nDATABASE_URL, USER\n  ORDERS=1,2,3=x \n\nEMPTY=\nA,\n")
	if diff := cmp.Diff([]string{"DATABASE_URL", "USER", "ORDERS=1,2,3=x", "EMPTY=", "A"}, got); diff != "" {
		t.Error(diff)
	}
}
