//go:build lab

package evidence

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/org/promote/lab/cluster"
	"github.com/org/promote/pkg/evidence"
	"github.com/org/promote/pkg/image"
)

// distribution is the reference registry on a free port; it has no referrers API.
func (b *bench) distribution() string {
	b.t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	b.must(err)
	address := listener.Addr().String()
	b.must(listener.Close())
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- cluster.ServeRegistry(ctx, b.t.TempDir(), address) }()
	b.t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			b.t.Error(err)
		}
	})
	for deadline := time.Now().Add(10 * time.Second); ; {
		response, err := http.Get("http://" + address + "/v2/")
		if err == nil {
			response.Body.Close()
			return address + "/acme/checkout"
		}
		if time.Now().After(deadline) {
			b.t.Fatal(err)
		}
		time.Sleep(10 * time.Millisecond) // between two questions, not instead of one
	}
}

// TestTheChainOnRealRegistries is point 9 of the issue: a digest with its whole chain may go, and one whose evidence failed
// or was removed may not.
func TestTheChainOnRealRegistries(t *testing.T) {
	b := &bench{t: t}
	for kind, repository := range map[string]string{"distribution": b.distribution(), "go-containerregistry": b.repository(registry.WithReferrersSupport(true))} {
		t.Run(kind, func(t *testing.T) {
			b := &bench{t: t}
			private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
			b.must(err)
			key, _ := b.keyFiles(private)
			reference := b.images(repository)[0]
			_, digest, _ := strings.Cut(reference, "@")
			required := evidence.Requirement{Gates: []string{evidence.Unit, evidence.Build, evidence.Test, evidence.Stage}, Digest: digest, Tree: strings.Repeat("b", 40)}
			begin := time.Now()
			add := func(gate, result string) evidence.Record {
				s := passedStage(reference)
				s.Gate, s.Result = gate, result
				record, err := evidence.Add(t.Context(), s, key)
				b.must(err)
				return record
			}
			// refused are the refusals in short.
			refused := func(want ...string) {
				t.Helper()
				records, err := evidence.Read(t.Context(), reference, key)
				b.must(err)
				var got []string
				for _, r := range evidence.Require(records, required) {
					got = append(got, strings.TrimSpace(r.Gate+" "+string(r.Kind)))
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("refusals (-want +got):\n%s", diff)
				}
			}
			remove := func(r evidence.Record) {
				t.Helper()
				at, err := name.NewDigest(image.Reference(strings.Split(reference, "@")[0], r.Referrer))
				b.must(err)
				b.must(remote.Delete(at))
			}

			var last evidence.Record
			for _, gate := range required.Gates {
				last = add(gate, evidence.Passed)
			}
			t.Logf("four statements took %v to add", time.Since(begin).Round(time.Millisecond))
			begin = time.Now()
			refused()
			t.Logf("reading and deciding took %v", time.Since(begin).Round(time.Millisecond))
			failed := add(evidence.Test, evidence.Failed)
			refused("test revoked")
			add(evidence.Test, evidence.Passed)
			refused()
			if remove(failed); kind == "distribution" {
				// Its list still has what is gone, so it is known that something is missing.
				refused("unreadable")
			} else {
				refused()
			}
			remove(last)
			want := []string{"stage removed"}
			if kind == "distribution" {
				want = append(want, "unreadable", "unreadable")
			}
			refused(want...)
		})
	}
}

// TestTwoRunsWriteAtOnce is two workflows that reach their gates for one digest in the same second, on the registry whose
// list of referrers is a tag.
func TestTwoRunsWriteAtOnce(t *testing.T) {
	b := &bench{t: t}
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	b.must(err)
	key, _ := b.keyFiles(private)
	reference := b.images(b.distribution())[0]
	done := make(chan error)
	for i, gate := range []string{evidence.Unit, evidence.Build, evidence.Test} {
		go func() {
			s := passedStage(reference)
			s.Gate, s.RunID = gate, fmt.Sprint(i)
			_, err := evidence.Add(t.Context(), s, key)
			done <- err
		}()
	}
	for range 3 {
		b.must(<-done)
	}
	records, err := evidence.Read(t.Context(), reference, key)
	b.must(err)
	_, digest, _ := strings.Cut(reference, "@")
	if refusals := evidence.Require(records, evidence.Requirement{Gates: []string{evidence.Unit, evidence.Build, evidence.Test}, Digest: digest}); len(refusals) > 0 {
		t.Error(refusals)
	}
}
