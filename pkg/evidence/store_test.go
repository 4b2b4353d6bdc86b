package evidence

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/org/promote/pkg/image"
)

// pushed gives the reference of a new image in a registry of its own.
func pushed(t *testing.T) string {
	t.Helper()
	inner := registry.New(registry.WithReferrersSupport(true), registry.Logger(log.New(io.Discard, "", 0)))
	server := httptest.NewServer(inner)
	t.Cleanup(server.Close)
	return pushTo(t, strings.TrimPrefix(server.URL, "http://")+"/acme/checkout")
}

func pushTo(t *testing.T, repository string) string {
	t.Helper()
	built, err := random.Image(64, 1)
	check(t, err)
	tag, err := name.NewTag(repository + ":test")
	check(t, err)
	check(t, remote.Write(tag, built))
	digest, err := built.Digest()
	check(t, err)
	return image.Reference(repository, digest.String())
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newTestKey(t *testing.T) *Key {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	key, err := newKey(private.Public())
	check(t, err)
	return key.with(private)
}

// statement is whole: every field is set.
func statement(reference, gate, result string, minute int) Statement {
	return Statement{
		Image: reference, Gate: gate, Result: result, Environment: gate, Repository: "acme/checkout", Commit: commit, Tree: tree,
		ManifestHash: "sha256:" + strings.Repeat("f", 64), Release: "ccccccc-ffffff", SecretVersions: map[string]string{`secret "a/b"`: "v1"},
		Tests: &Tests{Total: 3, Failed: 1, Skipped: 1}, Approvers: []string{"bob"}, Run: "https://github.example/runs/7", RunID: "7-1",
		Verdict: "3 tests <b>ran</b>", Time: noon.Add(time.Duration(minute) * time.Minute),
	}
}

func add(t *testing.T, s Statement, key *Key) Record {
	t.Helper()
	r, err := Add(t.Context(), s, key)
	check(t, err)
	return r
}

func read(t *testing.T, reference string, key *Key) []Record {
	t.Helper()
	records, err := Read(t.Context(), reference, key)
	check(t, err)
	return records
}

func digestIn(reference string) string {
	_, digest, _ := strings.Cut(reference, "@")
	return digest
}

func TestAddAndRead(t *testing.T) {
	for mode, key := range map[string]*Key{"signed": newTestKey(t), "unsigned": nil} {
		t.Run(mode, func(t *testing.T) {
			reference := pushed(t)
			first := add(t, statement(reference, Test, Passed, 0), key)
			// This runner's clock is behind the one before by a minute.
			second := add(t, statement(reference, Test, Failed, -1), key)
			t.Run("what was added is read whole, in order", func(t *testing.T) {
				if diff := cmp.Diff([]Record{first, second}, read(t, reference, key)); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
				if first.Signer != key.ID() {
					t.Errorf("signed by %q, want %q", first.Signer, key.ID())
				}
			})
			t.Run("a statement is never dated before one of its gate, and remembers it", func(t *testing.T) {
				if got := second.Statement.Time; !got.Equal(noon.Add(time.Millisecond)) {
					t.Errorf("dated %v", got)
				}
				want := []Seen{{Gate: Test, Result: Passed, Time: noon, Statement: first.ID, Run: first.Statement.Run}}
				if diff := cmp.Diff(want, second.Statement.Previous); diff != "" {
					t.Error(diff)
				}
			})
			t.Run("the last one decides", func(t *testing.T) {
				r := Requirement{Gates: []string{Test}, Digest: digestIn(reference), Commit: commit, Tree: tree}
				if got := Require(read(t, reference, key), r); len(got) != 1 || got[0].Kind != Revoked {
					t.Errorf("got %v", got)
				}
				add(t, statement(reference, Test, Passed, 1), key)
				if got := Require(read(t, reference, key), r); len(got) != 0 {
					t.Errorf("got %v", got)
				}
			})
		})
	}
}

func TestTheBundleIsWhatCosignReads(t *testing.T) {
	reference, key := pushed(t), newTestKey(t)
	add(t, statement(reference, Stage, Passed, 0), key)
	found, err := image.Referrers(t.Context(), reference, bundleType, nil)
	if err != nil || len(found) != 1 {
		t.Fatalf("%v, %v", found, err)
	}
	if diff := cmp.Diff(map[string]string{"dev.sigstore.bundle.content": "dsse-envelope", "dev.sigstore.bundle.predicateType": PredicateType}, found[0].Annotations); diff != "" {
		t.Errorf("annotations:\n%s", diff)
	}
	var bundle struct {
		MediaType            string
		VerificationMaterial struct{ PublicKey struct{ Hint string } }
		DsseEnvelope         struct {
			PayloadType string
			Payload     []byte
			Signatures  []struct{ Sig []byte }
		}
	}
	check(t, json.Unmarshal(found[0].Data, &bundle))
	if bundle.MediaType != bundleType || bundle.VerificationMaterial.PublicKey.Hint != key.ID() || len(bundle.DsseEnvelope.Signatures) != 1 {
		t.Errorf("got %+v", bundle)
	}
	var got any
	check(t, json.Unmarshal(bundle.DsseEnvelope.Payload, &got))
	repository, digest, _ := strings.Cut(reference, "@")
	want := map[string]any{
		"_type": "https://in-toto.io/Statement/v1", "predicateType": "https://promote.dev/evidence/v1",
		"subject": []any{map[string]any{"name": repository, "digest": map[string]any{"sha256": strings.TrimPrefix(digest, "sha256:")}}},
		"predicate": map[string]any{
			"gate": "stage", "result": "passed", "environment": "stage", "repository": "acme/checkout", "commit": commit, "tree": tree,
			"manifestHash": "sha256:" + strings.Repeat("f", 64), "release": "ccccccc-ffffff", "secretVersions": map[string]any{`secret "a/b"`: "v1"},
			"tests": map[string]any{"total": 3.0, "failed": 1.0, "skipped": 1.0}, "approvers": []any{"bob"},
			"run": "https://github.example/runs/7", "runID": "7-1", "verdict": "3 tests <b>ran</b>", "time": "2026-03-01T12:00:00Z",
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("statement (-want +got):\n%s", diff)
	}
}

// TestWhoCanPushAndHasNoKey plays everything that someone can do to the registry.
func TestWhoCanPushAndHasNoKey(t *testing.T) {
	key, other := newTestKey(t), newTestKey(t)
	reference := pushed(t)
	r := Requirement{Gates: []string{Test}, Digest: digestIn(reference)}
	failed := add(t, statement(reference, Test, Failed, 0), key)
	found, err := image.Referrers(t.Context(), reference, bundleType, nil)
	check(t, err)
	original := found[0]
	attach := func(t *testing.T, reference string, a image.Artifact) {
		t.Helper()
		if a.ArtifactType == "" {
			a.ArtifactType, a.MediaType, a.Annotations = original.ArtifactType, original.MediaType, original.Annotations
		}
		_, err := image.Attach(t.Context(), reference, a)
		check(t, err)
	}
	// still says that the gate has failed, and that the newcomer is reported with its problem.
	still := func(t *testing.T, problem Problem, claims string) {
		t.Helper()
		records := read(t, reference, key)
		if got := Require(records, r); len(got) != 1 || got[0].Kind != GateFailed {
			t.Errorf("got %v, want the failure", got)
		}
		for _, record := range records {
			if record.Problem == problem && record.Claims == claims && record.Reason != "" && cmp.Equal(record.Statement, Statement{}) {
				return
			}
		}
		t.Errorf("nothing is %q and claims %q: %+v", problem, claims, records)
	}
	t.Run("signs with a key of their own", func(t *testing.T) {
		add(t, statement(reference, Test, Passed, 10), other)
		still(t, OtherKey, Test)
	})
	t.Run("writes an unsigned statement", func(t *testing.T) {
		add(t, statement(reference, Test, Passed, 10), nil)
		still(t, NotSigned, Test)
	})
	t.Run("changes the failure into a pass", func(t *testing.T) {
		sealed, err := unseal(original.Data)
		check(t, err)
		forged := bytes.Replace(sealed.payload, []byte(`"result":"failed"`), []byte(`"result":"passed"`), 1)
		b64 := func(data []byte) string { text, _ := json.Marshal(data); return string(text) }
		attach(t, reference, image.Artifact{Data: []byte(strings.Replace(string(original.Data), b64(sealed.payload), b64(forged), 1))})
		still(t, Altered, Test)
	})
	t.Run("copies the pass of another image", func(t *testing.T) {
		elsewhere := pushTo(t, strings.Split(reference, "@")[0])
		add(t, statement(elsewhere, Test, Passed, 10), key)
		passes, err := image.Referrers(t.Context(), elsewhere, bundleType, nil)
		check(t, err)
		attach(t, reference, image.Artifact{Data: passes[0].Data})
		still(t, OtherImage, Test)
	})
	t.Run("attaches rubbish that calls itself evidence", func(t *testing.T) {
		for _, rubbish := range []string{"x", "{}", `{"mediaType":"` + bundleType + `","messageSignature":{}}`} {
			attach(t, reference, image.Artifact{Data: []byte(rubbish)})
		}
		still(t, Malformed, "")
	})
	t.Run("attaches an envelope of another type with our statement in it", func(t *testing.T) {
		attach(t, reference, image.Artifact{Data: bytes.Replace(original.Data, []byte(payloadType), []byte("application/x"), 1)})
		still(t, Malformed, "")
	})
	t.Run("deletes the failure, which a later statement remembers", func(t *testing.T) {
		add(t, statement(reference, Stage, Passed, 20), key)
		gone, err := name.NewDigest(image.Reference(strings.Split(reference, "@")[0], failed.Referrer))
		check(t, err)
		check(t, remote.Delete(gone))
		if got := Require(read(t, reference, key), r); len(got) != 1 || got[0].Kind != GateFailed || !strings.Contains(got[0].Reason, "no longer there") {
			t.Errorf("got %v", got)
		}
	})
}

func TestReadWhatTheRegistryLost(t *testing.T) {
	inner := registry.New(registry.WithReferrersSupport(true), registry.Logger(log.New(io.Discard, "", 0)))
	lose := ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if lose != "" && strings.HasSuffix(r.URL.Path, lose) {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		inner.ServeHTTP(w, r)
	}))
	defer server.Close()
	reference, key := pushTo(t, strings.TrimPrefix(server.URL, "http://")+"/acme/checkout"), newTestKey(t)
	add(t, statement(reference, Test, Passed, 0), key)
	failed := add(t, statement(reference, Test, Failed, 1), key)
	add(t, statement(reference, Test, Passed, 2), key)
	lose = "/manifests/" + failed.Referrer
	records := read(t, reference, key)
	refusals := Require(records, Requirement{Gates: []string{Test}, Digest: digestIn(reference)})
	if len(refusals) != 1 || refusals[0].Kind != Lost || !strings.Contains(refusals[0].Reason, failed.Referrer) {
		t.Errorf("got %v", refusals)
	}
	t.Run("an image that is not in the registry has no evidence", func(t *testing.T) {
		absent := strings.Split(reference, "@")[0] + "@sha256:" + strings.Repeat("0", 64)
		if got := read(t, absent, key); len(got) != 0 {
			t.Errorf("got %v", got)
		}
	})
}

// TestAFailureGetsThroughRubbish is an attacker who fills the list so that nothing can be read, to take the rubbish away
// when the failing run is over.
func TestAFailureGetsThroughRubbish(t *testing.T) {
	inner := registry.New(registry.WithReferrersSupport(true), registry.Logger(log.New(io.Discard, "", 0)))
	full := false
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if full && strings.Contains(r.URL.Path, "/referrers/") {
			w.Header().Set("Content-Type", "application/vnd.oci.image.index.v1+json")
			_, _ = io.WriteString(w, `{"schemaVersion":2,"manifests":[{}`+strings.Repeat(",{}", 2000)+`]}`)
			return
		}
		inner.ServeHTTP(w, r)
	}))
	defer server.Close()
	reference, key := pushTo(t, strings.TrimPrefix(server.URL, "http://")+"/acme/checkout"), newTestKey(t)
	add(t, statement(reference, Test, Passed, 0), key)
	full = true
	for _, result := range []string{Failed, Passed} {
		if _, err := Add(t.Context(), statement(reference, Test, result, 10), key); err == nil || !strings.Contains(err.Error(), "more than 1000") {
			t.Errorf("%s: got %v, want to be told", result, err)
		}
	}
	full = false
	records := read(t, reference, key)
	if got := Require(records, Requirement{Gates: []string{Test}, Digest: digestIn(reference)}); len(records) != 2 || len(got) != 1 || got[0].Kind != Revoked {
		t.Errorf("got %v of %+v", got, records)
	}
}

func TestUnsignedModeDoesNotBelieveWhatItCannotVerify(t *testing.T) {
	reference := pushed(t)
	add(t, statement(reference, Test, Passed, 0), newTestKey(t))
	records := read(t, reference, nil)
	if got := Require(records, Requirement{Gates: []string{Test}, Digest: digestIn(reference)}); len(got) != 1 || got[0].Kind != KeyMissing {
		t.Errorf("got %v", got)
	}
	if text := Unsigned(); !strings.Contains(text, "evidence-key") || !strings.Contains(text, "not signed") {
		t.Errorf("the warning is %q", text)
	}
}

func TestAttest(t *testing.T) {
	const spdx = "https://spdx.dev/Document"
	reference, key := pushed(t), newTestKey(t)
	// An integer that a detour through a float would change.
	predicate := json.RawMessage(`{"spdxVersion":"SPDX-2.3","size":9007199254740993}`)
	first, err := Attest(t.Context(), reference, spdx, predicate, key)
	check(t, err)
	t.Run("the same said again is not written again", func(t *testing.T) {
		again, err := Attest(t.Context(), reference, spdx, predicate, key)
		check(t, err)
		found, err := image.Referrers(t.Context(), reference, "", nil)
		check(t, err)
		if again != first || len(found) != 1 {
			t.Errorf("got %s and %s, %d referrers", first, again, len(found))
		}
	})
	t.Run("it is read as it was written, and is no statement of a gate", func(t *testing.T) {
		got, err := Attestations(t.Context(), reference, spdx, key)
		check(t, err)
		if len(got) != 1 || string(got[0].Predicate) != string(predicate) || got[0].Signer != key.ID() || got[0].Problem != "" {
			t.Errorf("got %+v", got)
		}
		if records := read(t, reference, key); len(records) != 0 {
			t.Errorf("got %+v", records)
		}
	})
	for name, bad := range map[string][2]string{
		"a predicate that is no object": {spdx, `[1]`}, "a predicate that is no JSON": {spdx, `{`}, "names that occur twice": {spdx, `{"a":1,"a":2}`},
		"a type that is no URL": {"spdx", `{}`},
	} {
		t.Run("refuses "+name, func(t *testing.T) {
			if _, err := Attest(t.Context(), reference, bad[0], json.RawMessage(bad[1]), key); err == nil || !strings.Contains(err.Error(), reference) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestAddRefuses(t *testing.T) {
	key := newTestKey(t)
	t.Run("everything that is wrong with a statement at once", func(t *testing.T) {
		bad := Statement{Image: "checkout:latest", Gate: "qa", Result: "ok", Repository: "checkout", Commit: "abc", Tree: "", Run: "7", Tests: &Tests{Total: 1, Failed: 2}}
		_, err := Add(t.Context(), bad, key)
		if err == nil {
			t.Fatal("it was added")
		}
		for _, want := range []string{"checkout:latest", `"qa"`, "unit, build, test, stage, prod", `"ok"`, "owner/name", `commit "abc"`, `tree ""`, "time", `run "7"`, "add up"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%q does not say %q", err, want)
			}
		}
	})
	t.Run("to sign with a public half", func(t *testing.T) {
		public, err := newKey(key.public)
		check(t, err)
		reference := pushed(t)
		if _, err := Add(t.Context(), statement(reference, Test, Passed, 0), public); err == nil || !strings.Contains(err.Error(), "public half") {
			t.Errorf("got %v", err)
		}
	})
}
