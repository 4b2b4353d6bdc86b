package release

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/org/promote/pkg/change"
	"github.com/org/promote/pkg/manifest"
)

func TestAnOriginComesBackAsItWas(t *testing.T) {
	files := []manifest.File{{Name: "deploy/web.yaml", Data: []byte("kind: {{ .Values.kind }}\n\x00ÿ")}}
	values, err := manifest.ParseValues("replicas: 3\nlarge: 1000000\nshare: 0.5\non: true\nlist: [a, 1]\nnone: null\n", "")
	if err != nil {
		t.Fatal(err)
	}
	data, err := pack(Request{Files: files, Values: values, Change: change.Change{PullRequest: 7}})
	if err != nil {
		t.Fatal(err)
	}
	gotFiles, gotValues, pull, err := unpack(data)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(files, gotFiles); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(values, gotValues); diff != "" {
		t.Error(diff)
	}
	if pull != 7 {
		t.Errorf("pull request %d, want 7", pull)
	}
}

func TestAnOriginThatIsNoneIsAnError(t *testing.T) {
	if _, _, _, err := unpack([]byte("no gzip")); err == nil || !strings.Contains(err.Error(), "unpacking") {
		t.Errorf("got %v", err)
	}
}
