package image

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"

	"github.com/org/promote/pkg/hostile"
)

// legible fails the test when an error is no short line in which all can be seen.
func legible(t *testing.T, what string, err error) {
	t.Helper()
	if err == nil {
		t.Errorf("%s: no error", what)
		return
	}
	text := err.Error()
	if len(text) > 4<<10 || !utf8.ValidString(text) {
		t.Errorf("%s: the error has %d bytes: %.200q", what, len(text), text)
	}
	if i := strings.IndexFunc(text, func(r rune) bool {
		return r != '\u200C' && r != '\u200D' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r))
	}); i >= 0 {
		t.Errorf("%s: the error holds %q", what, text[i:min(len(text), i+20)])
	}
}

func TestHostileAnswersOfARegistry(t *testing.T) {
	s := serve(t)
	dir, digest := randomLayout(t)
	if _, err := Push(t.Context(), dir, s.repository, []string{"test"}); err != nil {
		t.Fatal(err)
	}
	reference := Reference(s.repository, digest)
	for name, text := range hostile.Texts {
		t.Run(name, func(t *testing.T) {
			quoted, err := json.Marshal(text)
			if err != nil {
				t.Fatal(err)
			}
			one := fmt.Sprintf(`{"code":%s,"message":%s,"detail":{%s:%s}}`, quoted, quoted, quoted, quoted)
			for what, body := range map[string]string{
				"an error": `{"errors":[` + one + `]}`, "several": `{"errors":[` + one + "," + one + `]}`, "no JSON": text, "another shape": `{"errors":` + string(quoted) + `}`,
			} {
				for _, status := range []int{http.StatusBadRequest, http.StatusForbidden} {
					s.behind(func(w http.ResponseWriter, r *http.Request) bool {
						if r.URL.Path == "/v2/" {
							return false
						}
						w.WriteHeader(status)
						_, _ = w.Write([]byte(body))
						return true
					})
					what := fmt.Sprintf("%s with %d", what, status)
					_, err := Resolve(t.Context(), s.repository, "test")
					legible(t, what, err)
					_, err = Inspect(t.Context(), reference)
					legible(t, what, err)
					legible(t, what, Tag(t.Context(), reference, "stage"))
				}
			}
			// What is listed, and where the list goes on, is the registry's to say too.
			s.behind(func(w http.ResponseWriter, r *http.Request) bool {
				if !strings.Contains(r.URL.Path, "/referrers/") {
					return false
				}
				w.Header().Set("Content-Type", "application/vnd.oci.image.index.v1+json")
				w.Header().Set("Link", "<//"+strings.Map(printable, text)+`>; rel="next"`)
				fmt.Fprintf(w, `{"manifests":[{"digest":%s,"mediaType":%s,"annotations":{%s:%s}}]}`, quoted, quoted, quoted, quoted)
				return true
			})
			_, err = Referrers(t.Context(), reference, "", nil)
			legible(t, "the list of referrers", err)
			s.behind(nil)
		})
	}
}

// printable leaves out what a header cannot hold.
func printable(r rune) rune {
	if r < ' ' || r > '~' {
		return -1
	}
	return r
}

// Labels are a Dockerfile's; what is asked of them are commits and recipes.
func TestHostileLabelsAndAnnotations(t *testing.T) {
	s := serve(t)
	for name, text := range hostile.Texts {
		t.Run(name, func(t *testing.T) {
			if !utf8.ValidString(text) {
				text = strings.ToValidUTF8(text, "?") // as JSON has it
			}
			img, err := mutate.Config(empty.Image, v1.Config{Labels: map[string]string{"own": text, CommitLabel: text}})
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			if err := writeLayout(dir+"/layout", img); err != nil {
				t.Fatal(err)
			}
			pushed, err := Push(t.Context(), dir+"/layout", s.repository, []string{"test"})
			if err != nil {
				t.Fatal(err)
			}
			reference := Reference(s.repository, pushed.Digest)
			info, err := Inspect(t.Context(), reference)
			if err != nil || info.Labels["own"] != text {
				t.Errorf("the label is %.200q, %v", info.Labels["own"], err)
			}
			if IsCommitTag(info.Labels[CommitLabel]) {
				t.Errorf("%.200q is taken for a commit", text)
			}
			attached, err := Attach(t.Context(), reference, Artifact{ArtifactType: "application/x", MediaType: "text/plain", Data: []byte("x"), Annotations: map[string]string{"own": text}})
			if err != nil {
				t.Fatal(err)
			}
			found, err := Referrers(t.Context(), reference, "application/x", func(r Referrer) bool { return r.Digest == attached })
			if err != nil || len(found) != 1 || found[0].Annotations["own"] != text {
				t.Errorf("the annotation is read as %v, %v", found, err)
			}
		})
	}
}

func TestAConfigThatWouldFillTheMemoryIsNotRead(t *testing.T) {
	s := serve(t)
	const claimed = `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","size":17179869184,"digest":"sha256:0000000000000000000000000000000000000000000000000000000000000000"},"layers":[]}`
	asked := false
	s.behind(func(w http.ResponseWriter, r *http.Request) bool {
		switch {
		case strings.Contains(r.URL.Path, "/manifests/"):
			w.Header().Set("Content-Type", "application/vnd.oci.image.manifest.v1+json")
			_, _ = w.Write([]byte(claimed))
			return true
		case strings.Contains(r.URL.Path, "/blobs/"):
			asked = true
		}
		return false
	})
	_, err := Inspect(t.Context(), Reference(s.repository, digestOf([]byte(claimed))))
	if err == nil || !strings.Contains(err.Error(), "it has 17179869184 bytes; at most 16777216 are read") || asked {
		t.Errorf("got %v; the config was asked for: %v", err, asked)
	}
}
