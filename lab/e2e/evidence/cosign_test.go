//go:build lab

// Package evidence proves that what pkg/evidence writes is what the field's own tools read. It needs no cluster.
package evidence

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/org/promote/lab/aws"
	"github.com/org/promote/lab/cluster"
	"github.com/org/promote/pkg/evidence"
	"github.com/org/promote/pkg/image"
)

// bench is cosign beside registries of this process. It needs no cluster.
type bench struct {
	t      *testing.T
	cosign string
	home   string
}

func newBench(t *testing.T) *bench {
	t.Helper()
	lab, err := cluster.Open(cluster.Config{Out: os.Stderr})
	if err != nil {
		t.Fatal(err)
	}
	path, err := lab.Cosign(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return &bench{t: t, cosign: path, home: t.TempDir()}
}

func (b *bench) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

// run runs cosign with nothing of this machine's configuration.
func (b *bench) run(args ...string) (string, error) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, b.cosign, args...)
	cmd.Dir = b.home
	// A proxy where nothing listens: what asks the network for more than the registry fails.
	cmd.Env = []string{"HOME=" + b.home, "COSIGN_PASSWORD=" + password, "HTTPS_PROXY=http://127.0.0.1:1", "NO_PROXY=127.0.0.1"}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

const (
	password  = "correct horse"
	accessKey = "AKIALABTESTS00000000"
	secretKey = "lab-tests-secret-key"
)

// verify is the command that the documentation tells users to run.
func (b *bench) verify(key, reference string) (string, error) {
	return b.run("verify-attestation", "--key", key, "--type", evidence.PredicateType, "--insecure-ignore-tlog", "--new-bundle-format", reference)
}

// repository is one of a registry of this process.
func (b *bench) repository(o ...registry.Option) string {
	b.t.Helper()
	server := httptest.NewServer(registry.New(append(o, registry.Logger(log.New(io.Discard, "", 0)))...))
	b.t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://") + "/acme/checkout"
}

// images pushes the same random image to each repository and gives the references.
func (b *bench) images(repositories ...string) []string {
	b.t.Helper()
	built, err := random.Image(1<<10, 1)
	b.must(err)
	digest, err := built.Digest()
	b.must(err)
	var references []string
	for _, repository := range repositories {
		tag, err := name.NewTag(repository + ":" + digest.Hex[:8])
		b.must(err)
		b.must(remote.Write(tag, built))
		references = append(references, image.Reference(repository, digest.String()))
	}
	return references
}

// keyFiles writes a key pair and gives our private half and the path of the public one.
func (b *bench) keyFiles(private crypto.Signer) (*evidence.Key, string) {
	b.t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(private)
	b.must(err)
	key, err := evidence.ParseKey(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil)
	b.must(err)
	return key, b.publicFile(private.Public())
}

func (b *bench) publicFile(public any) string {
	b.t.Helper()
	der, err := x509.MarshalPKIXPublicKey(public)
	b.must(err)
	path := filepath.Join(b.t.TempDir(), "public.pem")
	b.must(os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), 0o600))
	return path
}

func passedStage(reference string) evidence.Statement {
	return evidence.Statement{
		Image: reference, Gate: evidence.Stage, Result: evidence.Passed, Environment: "stage", Repository: "acme/checkout",
		Commit: strings.Repeat("a", 40), Tree: strings.Repeat("b", 40), ManifestHash: "sha256:" + strings.Repeat("c", 64), Release: "aaaaaaa-cccccc",
		SecretVersions: map[string]string{`secret "stage/checkout"`: "v1"}, Tests: &evidence.Tests{Total: 12, Skipped: 1}, Approvers: []string{"bob"},
		Run: "https://github.example/acme/checkout/actions/runs/7", RunID: "7-1", Verdict: "12 tests passed", Time: time.Now(),
	}
}

// TestCosignReadsTheEvidence is point 8 of the issue: cosign's own program gives the verdict.
func TestCosignReadsTheEvidence(t *testing.T) {
	b := newBench(t)
	repository := b.repository(registry.WithReferrersSupport(true))
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	b.must(err)
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	b.must(err)
	rs, err := rsa.GenerateKey(rand.Reader, 2048)
	b.must(err)
	for kind, private := range map[string]crypto.Signer{"ECDSA P-256": ec, "Ed25519": ed, "RSA": rs} {
		t.Run("signed with "+kind, func(t *testing.T) {
			key, public := b.keyFiles(private)
			reference := b.images(repository)[0]
			_, err := evidence.Add(t.Context(), passedStage(reference), key)
			b.must(err)
			out, err := b.verify(public, reference)
			if err != nil || !strings.Contains(out, "verified against the specified public key") {
				t.Errorf("%v\n%s", err, out)
			}
			if got := predicateIn(t, out); got["gate"] != "stage" || got["result"] != "passed" {
				t.Errorf("cosign read %v", got)
			}
		})
	}
	t.Run("signed with AWS KMS", func(t *testing.T) {
		server, err := aws.Start(t.Context(), aws.Options{AccessKey: accessKey, SecretKey: secretKey})
		b.must(err)
		_, err = server.CreateKMSKey("ECC_NIST_P256", "alias/evidence")
		b.must(err)
		for variable, value := range map[string]string{
			"AWS_ENDPOINT_URL": server.URL(), "AWS_ACCESS_KEY_ID": accessKey, "AWS_SECRET_ACCESS_KEY": secretKey, "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
		} {
			t.Setenv(variable, value)
		}
		key, err := evidence.OpenKey(t.Context(), "awskms:///alias/evidence", evidence.KeyOptions{Region: "eu-west-1"})
		b.must(err)
		reference := b.images(repository)[0]
		_, err = evidence.Add(t.Context(), passedStage(reference), key)
		b.must(err)
		if err := server.AddKey(aws.Key{AccessKey: "AKIAREADER", SecretKey: "reader", Allow: []string{"alias/"}, Deny: []string{"kms:Sign"}}); err != nil {
			t.Fatal(err)
		}
		t.Setenv("AWS_ACCESS_KEY_ID", "AKIAREADER")
		t.Setenv("AWS_SECRET_ACCESS_KEY", "reader")
		reader, err := evidence.OpenKey(t.Context(), "awskms:///alias/evidence", evidence.KeyOptions{Region: "eu-west-1"})
		b.must(err)
		if records, err := evidence.Read(t.Context(), reference, reader); err != nil || len(records) != 1 || records[0].Problem != "" {
			t.Errorf("a role that may only verify reads %+v, %v", records, err)
		}
		if _, err := evidence.Add(t.Context(), passedStage(reference), reader); err == nil || !strings.Contains(err.Error(), "(the role needs kms:Sign)") {
			t.Errorf("it signs: %v", err)
		}
		text, err := key.PublicPEM()
		b.must(err)
		public := filepath.Join(t.TempDir(), "kms.pem")
		b.must(os.WriteFile(public, text, 0o600))
		if out, err := b.verify(public, reference); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	})
	t.Run("signed with a key pair of cosign's making, on a registry without the referrers API", func(t *testing.T) {
		if out, err := b.run("generate-key-pair"); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		key, err := evidence.OpenKey(t.Context(), filepath.Join(b.home, "cosign.key"), evidence.KeyOptions{Password: []byte(password)})
		b.must(err)
		reference := b.images(b.repository())[0]
		_, err = evidence.Add(t.Context(), passedStage(reference), key)
		b.must(err)
		if out, err := b.verify("cosign.pub", reference); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	})
	t.Run("and what cosign attests is read here", func(t *testing.T) {
		reference := b.images(repository)[0]
		predicate, err := json.Marshal(passedStage(reference))
		b.must(err)
		b.must(os.WriteFile(filepath.Join(b.home, "predicate.json"), predicate, 0o600))
		if out, err := b.run("attest", "--key", "cosign.key", "--predicate", "predicate.json", "--type", evidence.PredicateType, "--new-bundle-format",
			"--use-signing-config=false", "--tlog-upload=false", "--yes", reference); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		key, err := evidence.OpenKey(t.Context(), filepath.Join(b.home, "cosign.pub"), evidence.KeyOptions{})
		b.must(err)
		records, err := evidence.Read(t.Context(), reference, key)
		_, digest, _ := strings.Cut(reference, "@")
		if refusals := evidence.Require(records, evidence.Requirement{Gates: []string{evidence.Stage}, Digest: digest}); err != nil || len(refusals) > 0 {
			t.Errorf("%v, %v: %+v", err, refusals, records)
		}
	})
	t.Run("an SBOM is read by its own type", func(t *testing.T) {
		key, public := b.keyFiles(ec)
		reference := b.images(repository)[0]
		_, err := evidence.Attest(t.Context(), reference, "https://spdx.dev/Document", json.RawMessage(`{"spdxVersion":"SPDX-2.3"}`), key)
		b.must(err)
		if out, err := b.run("verify-attestation", "--key", public, "--type", "spdxjson", "--insecure-ignore-tlog", "--new-bundle-format", reference); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	})
}

// TestCosignRejectsTheSameThings holds that cosign and pkg/evidence say no to the same statements.
func TestCosignRejectsTheSameThings(t *testing.T) {
	b := newBench(t)
	repository, elsewhere := b.repository(registry.WithReferrersSupport(true)), b.repository(registry.WithReferrersSupport(true))
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	b.must(err)
	key, public := b.keyFiles(private)
	both := b.images(repository, elsewhere)
	_, err = evidence.Add(t.Context(), passedStage(both[0]), key)
	b.must(err)
	if out, err := b.verify(public, both[0]); err != nil {
		t.Fatalf("the statement itself is not accepted, so no rejection would mean a thing: %v\n%s", err, out)
	}
	found, err := image.Referrers(t.Context(), both[0], "", nil)
	if err != nil || len(found) != 1 {
		t.Fatalf("%v, %v", found, err)
	}
	attach := func(t *testing.T, reference string, data []byte) {
		t.Helper()
		_, err := image.Attach(t.Context(), reference, image.Artifact{ArtifactType: found[0].ArtifactType, MediaType: found[0].MediaType, Annotations: found[0].Annotations, Data: data})
		if err != nil {
			t.Fatal(err)
		}
	}
	const badEnvelope = "failed to verify signature: could not verify envelope"
	// why is cosign's own reason: that it found nothing would be no rejection.
	rejected := func(t *testing.T, public, reference string, key *evidence.Key, problem evidence.Problem, why string) {
		t.Helper()
		out, err := b.verify(public, reference)
		if err == nil || !strings.Contains(out, "no matching attestations: "+why) {
			t.Errorf("cosign: %v\n%s", err, out)
		}
		records, err := evidence.Read(t.Context(), reference, key)
		if err != nil || len(records) != 1 || records[0].Problem != problem {
			t.Errorf("pkg/evidence: %+v, %v; want the problem %q", records, err, problem)
		}
	}
	t.Run("one byte of the payload changed", func(t *testing.T) {
		var bundle map[string]any
		b.must(json.Unmarshal(found[0].Data, &bundle))
		sealed := bundle["dsseEnvelope"].(map[string]any)
		payload := decodeBase64(t, sealed["payload"].(string))
		sealed["payload"] = base64.StdEncoding.EncodeToString(bytes.Replace(payload, []byte(`"total":12`), []byte(`"total":13`), 1))
		changed, err := json.Marshal(bundle)
		b.must(err)
		attach(t, both[1], changed)
		rejected(t, public, both[1], key, evidence.Altered, badEnvelope)
	})
	t.Run("another digest", func(t *testing.T) {
		other := b.images(elsewhere)[0]
		attach(t, other, found[0].Data)
		rejected(t, public, other, key, evidence.OtherImage, "failed to verify signature: provided artifact digest does not match")
	})
	t.Run("another key", func(t *testing.T) {
		private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		b.must(err)
		other, public := b.keyFiles(private)
		rejected(t, public, both[0], other, evidence.OtherKey, badEnvelope)
	})
}

// predicateIn is the predicate of the statement that cosign prints.
func predicateIn(t *testing.T, out string) map[string]any {
	t.Helper()
	for line := range strings.Lines(out) {
		var envelope struct{ Payload string }
		if json.Unmarshal([]byte(line), &envelope) != nil || envelope.Payload == "" {
			continue
		}
		var statement struct{ Predicate map[string]any }
		if err := json.Unmarshal(decodeBase64(t, envelope.Payload), &statement); err != nil {
			t.Fatal(err)
		}
		return statement.Predicate
	}
	t.Errorf("cosign printed no envelope:\n%s", out)
	return nil
}

func decodeBase64(t *testing.T, text string) []byte {
	t.Helper()
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
