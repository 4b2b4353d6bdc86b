package release

import (
	"bytes"
	"compress/gzip"
	"runtime"
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

func TestAnOriginThatIsABombIsNotUnpacked(t *testing.T) {
	var bomb bytes.Buffer
	w := gzip.NewWriter(&bomb)
	for range 1 << 10 {
		if _, err := w.Write(make([]byte, 1<<20)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, _, _, err := unpack(bomb.Bytes()); err == nil || !strings.Contains(err.Error(), "more than 64 MiB") {
		t.Errorf("got %v", err)
	}
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > 512<<20 {
		t.Errorf("%d KiB of a bomb took %d MiB", bomb.Len()>>10, used>>20)
	}
}
