package command

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestInherit(t *testing.T) {
	const token = "ghs_0123456789abcdef"
	given := []string{"PATH=/bin", "DATABASE_URL=postgres://db", "AWS_SECRET_ACCESS_KEY=k", "ACTIONS_RUNNER_DEBUG=true", "GH_TOKEN=another", "EMPTY="}
	own := []string{
		"GITHUB_OUTPUT=/o", "GITHUB_ENV=/e", "GITHUB_PATH=/p", "GITHUB_STATE=/s", "GITHUB_STEP_SUMMARY=/m", "INPUT_GITHUB_TOKEN=" + token, "INPUT_COMMAND=true",
	}
	credentials := []string{
		"ACTIONS_ID_TOKEN_REQUEST_TOKEN=i", "ACTIONS_ID_TOKEN_REQUEST_URL=https://oidc", "ACTIONS_RUNTIME_TOKEN=r", "ACTIONS_RUNTIME_URL=u",
		"ACTIONS_CACHE_URL=u", "ACTIONS_RESULTS_URL=u", "GITHUB_TOKEN=" + token, "NPM_HEADER=Bearer " + token,
	}
	all := append(append(append([]string{}, given...), own...), credentials...)
	names := []string{
		"ACTIONS_CACHE_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_RESULTS_URL", "ACTIONS_RUNTIME_TOKEN",
		"ACTIONS_RUNTIME_URL", "GITHUB_TOKEN", "NPM_HEADER",
	}
	for name, test := range map[string]struct{ named, more, withheld []string }{
		"what the author gave stays, what the runner gave by itself does not": {nil, nil, names},
		"what is named is passed on":                                          {[]string{"GITHUB_TOKEN"}, []string{"GITHUB_TOKEN=" + token}, append(append([]string{}, names[:6]...), names[7])},
		"what is set is set, also over what there was":                        {[]string{"GITHUB_TOKEN=other"}, []string{"GITHUB_TOKEN=other"}, append(append([]string{}, names[:6]...), names[7])},
		"what steers other steps is passed on to nobody":                      {[]string{"GITHUB_ENV", "INPUT_GITHUB_TOKEN"}, nil, names},
		"what is named and is not there is not made up":                       {[]string{"NOWHERE"}, nil, names},
		"what is named and would stay anyway stands once":                     {[]string{"DATABASE_URL"}, nil, names},
	} {
		t.Run(name, func(t *testing.T) {
			got, withheld := Inherit(all, test.named, token)
			if diff := cmp.Diff(append(append([]string{}, given...), test.more...), got); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(test.withheld, withheld); diff != "" {
				t.Error(diff)
			}
		})
	}
	t.Run("without a token, nothing is taken for one", func(t *testing.T) {
		if got, _ := Inherit(all, nil, ""); !strings.Contains(strings.Join(got, "\n"), "GITHUB_TOKEN="+token) {
			t.Errorf("GITHUB_TOKEN is missing in %q", got)
		}
	})
}
