package gate

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/org/promote/pkg/change"
	"github.com/org/promote/pkg/evidence"
	"github.com/org/promote/pkg/github"
	"github.com/org/promote/pkg/tests"
)

var ch = change.Change{
	Repository: "acme/checkout", PullRequest: 7, Head: strings.Repeat("a", 40), Tree: strings.Repeat("b", 40),
}

// place is a registry with one image, a GitHub with the statuses of one commit, and a key.
type place struct {
	t     *testing.T
	image string
	gate  Gate
	lines []string

	mu       sync.Mutex
	statuses []map[string]any // newest first, as GitHub lists them
	asked    int
	// onAsk is called with the number of times that the statuses were asked for.
	onAsk func(int)
	// readOnly makes the registry refuse what is pushed.
	readOnly bool
}

func (p *place) Infof(format string, args ...any) {
	p.lines = append(p.lines, fmt.Sprintf(format, args...))
}

func (p *place) Warningf(format string, args ...any) {
	p.lines = append(p.lines, "warning: "+fmt.Sprintf(format, args...))
}

func newPlace(t *testing.T, require ...string) *place {
	t.Helper()
	p := &place{t: t}
	images := registry.New(registry.Logger(log.New(io.Discard, "", 0)), registry.WithReferrersSupport(true))
	store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p.readOnly && r.Method != http.MethodGet && r.Method != http.MethodHead {
			http.Error(w, `{"errors":[{"code":"DENIED","message":"read only"}]}`, http.StatusForbidden)
			return
		}
		images.ServeHTTP(w, r)
	}))
	t.Cleanup(store.Close)
	img, err := random.Image(64, 1)
	if err != nil {
		t.Fatal(err)
	}
	repository := strings.TrimPrefix(store.URL, "http://") + "/checkout"
	tag, err := name.NewTag(repository + ":x")
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(tag, img); err != nil {
		t.Fatal(err)
	}
	digest, err := img.Digest()
	if err != nil {
		t.Fatal(err)
	}
	p.image = repository + "@" + digest.String()
	api := httptest.NewServer(http.HandlerFunc(p.answer))
	t.Cleanup(api.Close)
	gh, err := github.New(github.Config{APIURL: api.URL, Token: "t", Repository: ch.Repository})
	if err != nil {
		t.Fatal(err)
	}
	p.gate = Gate{Name: "stage", GitHub: gh, Key: newKey(t), Require: require, Log: p, poll: time.Millisecond}
	return p
}

func newKey(t *testing.T) *evidence.Key {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	key, err := OpenKey(t.Context(), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), "", func(string) bool { return true })
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func (p *place) answer(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if r.URL.Path != "/repos/acme/checkout/commits/"+ch.Head+"/statuses" {
		p.t.Errorf("nobody should ask for %s", r.URL)
	}
	p.asked++
	if p.onAsk != nil {
		p.onAsk(p.asked)
	}
	_ = json.NewEncoder(w).Encode(p.statuses)
}

// status adds the newest status of a gate.
func (p *place) status(gate, state, kind string, at time.Time) {
	p.statuses = append([]map[string]any{{
		"context": statusOf(gate), "state": state, "description": "128 tests passed", "target_url": "https://github.com/acme/checkout/actions/runs/1",
		"created_at": at.UTC().Format(time.RFC3339), "creator": map[string]any{"login": "github-actions[bot]", "type": kind},
	}}, p.statuses...)
}

// record writes the statement of another gate.
func (p *place) record(name string, passed bool) {
	p.t.Helper()
	g := p.gate
	g.Name = name
	if err := g.Record(p.t.Context(), p.image, ch, Outcome{Passed: passed, Run: "https://github.com/acme/checkout/actions/runs/2"}); err != nil {
		p.t.Fatal(err)
	}
}

func (p *place) prove() ([]evidence.Link, error) {
	p.t.Helper()
	return p.gate.Prove(p.t.Context(), p.image, ch)
}

// refused gives the kinds of the gaps, by their gates.
func refused(t *testing.T, err error) map[string]evidence.Kind {
	t.Helper()
	found := map[string]evidence.Kind{}
	parts := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		parts = joined.Unwrap()
	}
	for _, part := range parts {
		var refusal evidence.Refusal
		if !errors.As(part, &refusal) {
			t.Fatalf("got %v, want refusals", err)
		}
		found[refusal.Gate] = refusal.Kind
	}
	return found
}

func TestProveNamesEveryGateThatIsMissing(t *testing.T) {
	p := newPlace(t, evidence.Build, evidence.Test)
	_, err := p.prove()
	found := refused(t, err)
	if len(found) != 2 || found[evidence.Build] != evidence.Missing || found[evidence.Test] != evidence.Missing {
		t.Errorf("got %v", err)
	}
	if !strings.Contains(err.Error(), workflows[evidence.Build]) {
		t.Errorf("the error does not say what fills the gate: %v", err)
	}
}

func TestProveGivesTheChain(t *testing.T) {
	p := newPlace(t, evidence.Build, evidence.Test)
	p.record(evidence.Build, true)
	p.record(evidence.Test, true)
	chain, err := p.prove()
	if err != nil {
		t.Fatal(err)
	}
	table := Table(chain)
	for _, want := range []string{"build", "✅ passed", "❌ missing", change.Short(ch.Head)} {
		if !strings.Contains(table, want) {
			t.Errorf("the table lacks %q:\n%s", want, table)
		}
	}
}

func TestProveTakesNothingForGranted(t *testing.T) {
	t.Run("without a requirement nobody is asked", func(t *testing.T) {
		p := newPlace(t)
		if chain, err := p.prove(); err != nil || chain != nil || p.asked > 0 {
			t.Errorf("got %v, %v, GitHub asked %d times", chain, err, p.asked)
		}
	})
	t.Run("an unsigned statement does not count with a key", func(t *testing.T) {
		p := newPlace(t, evidence.Build)
		key := p.gate.Key
		p.gate.Key = nil
		p.record(evidence.Build, true)
		p.gate.Key = key
		_, err := p.prove()
		if found := refused(t, err); found[evidence.Build] != evidence.Unproven {
			t.Errorf("got %v", err)
		}
	})
	t.Run("the unsigned mode says so once", func(t *testing.T) {
		p := newPlace(t, evidence.Build)
		p.gate.Key = nil
		p.record(evidence.Build, true)
		if _, err := p.prove(); err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(strings.Join(p.lines, "\n"), "warning: evidence is not signed"); n != 1 {
			t.Errorf("it was said %d times:\n%s", n, strings.Join(p.lines, "\n"))
		}
	})
	t.Run("a failure that GitHub remembers counts although the registry has lost it", func(t *testing.T) {
		p := newPlace(t, evidence.Test)
		p.record(evidence.Test, true)
		p.status(evidence.Test, github.Failure, "Bot", time.Now().Add(time.Minute))
		_, err := p.prove()
		if found := refused(t, err); found[evidence.Test] != evidence.Revoked {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a failure that a person wrote does not", func(t *testing.T) {
		p := newPlace(t, evidence.Test)
		p.record(evidence.Test, true)
		p.status(evidence.Test, github.Failure, "User", time.Now().Add(time.Minute))
		if _, err := p.prove(); err != nil {
			t.Error(err)
		}
	})
}

func TestUnitTestsAreBoundToTheImage(t *testing.T) {
	t.Run("by the commit status that an app wrote", func(t *testing.T) {
		p := newPlace(t, evidence.Unit)
		p.status(evidence.Unit, github.Success, "Bot", time.Now())
		if _, err := p.prove(); err != nil {
			t.Fatal(err)
		}
		// The statement is there for good: GitHub's status is not needed any more.
		p.statuses = nil
		chain, err := p.prove()
		if err != nil || chain[0].Gate != evidence.Unit || !strings.Contains(chain[0].Verdict, "128 tests passed") {
			t.Errorf("got %+v, %v", chain, err)
		}
	})
	t.Run("with the counts that the unit-test action wrote behind its status' URL, if they are of this tree", func(t *testing.T) {
		for tree, want := range map[string]*evidence.Tests{ch.Tree: {Total: 128, Skipped: 3}, strings.Repeat("c", 40): nil} {
			p := newPlace(t, evidence.Unit)
			p.status(evidence.Unit, github.Success, "Bot", time.Now())
			m := tests.Mark{Tree: tree, Suite: strings.Repeat("1", 24), Tests: 128, Skipped: 3, Flaky: -1, Coverage: 831}
			p.statuses[0]["target_url"] = "https://github.com/acme/checkout/actions/runs/1#" + m.String()
			chain, err := p.prove()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, chain[0].Tests); diff != "" {
				t.Errorf("of tree %s: %s", tree, diff)
			}
		}
	})
	t.Run("not by a person's", func(t *testing.T) {
		p := newPlace(t, evidence.Unit)
		p.status(evidence.Unit, github.Success, "User", time.Now())
		_, err := p.prove()
		if found := refused(t, err); found[evidence.Unit] != evidence.Missing {
			t.Errorf("got %v", err)
		}
	})
	t.Run("not when they failed", func(t *testing.T) {
		p := newPlace(t, evidence.Unit)
		p.status(evidence.Unit, github.Failure, "Bot", time.Now())
		_, err := p.prove()
		if found := refused(t, err); found[evidence.Unit] != evidence.GateFailed || !strings.Contains(err.Error(), "actions/runs/1") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("after a wait, while they run", func(t *testing.T) {
		p := newPlace(t, evidence.Unit)
		p.gate.Wait = time.Minute
		p.status(evidence.Unit, github.Pending, "Bot", time.Now())
		p.onAsk = func(n int) {
			if n == 4 {
				p.status(evidence.Unit, github.Success, "Bot", time.Now())
			}
		}
		if _, err := p.prove(); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(strings.Join(p.lines, "\n"), "waiting for the unit tests") {
			t.Errorf("nobody was told of the wait: %v", p.lines)
		}
	})
	t.Run("which a dry run only looks at", func(t *testing.T) {
		p := newPlace(t, evidence.Unit, evidence.Build)
		p.record(evidence.Build, true)
		p.readOnly, p.gate.DryRun, p.gate.Wait = true, true, time.Minute
		p.status(evidence.Unit, github.Success, "Bot", time.Now())
		if _, err := p.prove(); err != nil {
			t.Errorf("got %v", err)
		}
		p.status(evidence.Unit, github.Pending, "Bot", time.Now())
		if _, err := p.prove(); err == nil || !strings.Contains(err.Error(), "is pending") || strings.Contains(strings.Join(p.lines, "\n"), "waiting") {
			t.Errorf("got %v, and was told %v", err, p.lines)
		}
		p.statuses, p.gate.Require = nil, []string{evidence.Unit, evidence.Test}
		_, err := p.prove()
		if found := refused(t, err); found[evidence.Unit] != evidence.Missing || found[evidence.Test] != evidence.Missing {
			t.Errorf("got %v", err)
		}
	})
	t.Run("and not for ever", func(t *testing.T) {
		p := newPlace(t, evidence.Unit)
		p.gate.Wait = time.Second
		p.status(evidence.Unit, github.Pending, "Bot", time.Now())
		if _, err := p.prove(); err == nil || !strings.Contains(err.Error(), "did not end within 1s") {
			t.Errorf("got %v", err)
		}
	})
}

func TestRecord(t *testing.T) {
	ctx := context.Background()
	t.Run("what cannot be signed and kept is an error", func(t *testing.T) {
		p := newPlace(t)
		p.readOnly = true
		if err := p.gate.Record(ctx, p.image, ch, Outcome{Passed: true, Run: "https://x/1"}); err == nil || !strings.Contains(err.Error(), "run this again") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("without a key it is a warning", func(t *testing.T) {
		p := newPlace(t)
		p.readOnly, p.gate.Key = true, nil
		if err := p.gate.Record(ctx, p.image, ch, Outcome{Passed: true, Run: "https://x/1"}); err != nil || len(p.lines) != 1 || !strings.HasPrefix(p.lines[0], "warning:") {
			t.Errorf("got %v, %v", err, p.lines)
		}
	})
	t.Run("an environment that is no gate leaves no statement", func(t *testing.T) {
		p := newPlace(t)
		p.gate.Name, p.readOnly = "preview-7", true
		if err := p.gate.Record(ctx, p.image, ch, Outcome{Passed: true, Run: "https://x/1"}); err != nil {
			t.Error(err)
		}
		if stands, err := p.gate.Stands(ctx, p.image, ch); err != nil || !stands {
			t.Errorf("got %v, %v", stands, err)
		}
	})
	t.Run("the verdict holds no secret", func(t *testing.T) {
		p := newPlace(t)
		p.gate.Redact = func(text string) string { return strings.ReplaceAll(text, "s3cr3t", "***") }
		verdict := strings.Repeat("x", 996) + "s3cr3t" // cut before, a part of it would stay
		if err := p.gate.Record(ctx, p.image, ch, Outcome{Verdict: verdict, Run: "https://x/1"}); err != nil {
			t.Fatal(err)
		}
		records, err := evidence.Read(ctx, p.image, p.gate.Key)
		if err != nil || len(records) != 1 || records[0].Statement.Verdict != strings.Repeat("x", 996)+"***" {
			t.Errorf("got %+v, %v", records, err)
		}
	})
	t.Run("a gate stands until it fails", func(t *testing.T) {
		p := newPlace(t)
		for _, passed := range []bool{false, true, false} {
			if passed {
				p.record("stage", true)
			}
			if !passed && len(p.lines) > 0 {
				p.record("stage", false)
			}
			if stands, err := p.gate.Stands(ctx, p.image, ch); err != nil || stands != passed {
				t.Errorf("stands: %v, %v, want %v", stands, err, passed)
			}
		}
	})
}

func TestOpenKeyRefusesAPublicHalf(t *testing.T) {
	public, err := newKey(t).PublicPEM()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := OpenKey(t.Context(), string(public), "", func(string) bool { return true }); err == nil || !strings.Contains(err.Error(), "evidence-key") {
		t.Errorf("got %v", err)
	}
	if err := CheckNames([]string{"unit", "staging"}); err == nil || !strings.Contains(err.Error(), "staging") {
		t.Errorf("got %v", err)
	}
}
