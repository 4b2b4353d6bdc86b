//go:build lab

package e2e

import (
	"context"
	"fmt"
	"math"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/miekg/dns"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/org/promote/lab/aws"
	"github.com/org/promote/lab/balancers"
	lab "github.com/org/promote/lab/load"
	"github.com/org/promote/pkg/cluster"
	"github.com/org/promote/pkg/traffic"
)

const (
	dnsZone = "Z0LABE2E"
	dnsName = "checkout.example.com"
	// dnsTTL stands for AWS's minute, and dnsDelay for the time that a change takes to reach all name servers.
	dnsTTL, dnsDelay = time.Second, time.Second
)

// balanced is a Service that asks for a load balancer of AWS's, for the pods of one release.
func balanced(name, release string) string {
	return fmt.Sprintf(`apiVersion: v1
kind: Service
metadata:
  name: %s
  labels: {promote.dev/service: checkout}
  annotations:
    service.beta.kubernetes.io/aws-load-balancer-type: external
    service.beta.kubernetes.io/aws-load-balancer-scheme: internet-facing
spec:
  type: LoadBalancer
  selector: {app: checkout, promote.dev/release: %s}
  ports: [{name: http, port: 80, targetPort: 8080}]
`, name, release)
}

// shared are two balanced Services of the real cluster, seen through AWS's doubles.
type shared struct {
	*place
	cluster           *cluster.Cluster
	dns               *traffic.DNS
	server            string // the name server
	stable, candidate traffic.Balancer
}

func newShared(t *testing.T) *shared {
	t.Helper()
	p := newPlace(t, "e2e")
	s := &shared{place: p, cluster: p.connect()}
	s.ready(s.cluster, s.apply(s.cluster, deployment("checkout-a", "a", 2)+"---\n"+deployment("checkout-b", "b", 2)+"---\n"+balanced("checkout", "a")+"---\n"+balanced("checkout-candidate", "b")))
	seen, err := balancers.Watch(t.Context(), p.admin, balancers.Options{Delay: time.Second})
	p.must(seen, err)
	double, err := aws.Start(t.Context(), aws.Options{AccessKey: accessKey, SecretKey: secretKey, Propagation: dnsDelay, AliasTTL: dnsTTL})
	p.must(double, err)
	double.SetBalancers(seen.List)
	p.must(nil, double.PutHostedZone(aws.HostedZone{ID: dnsZone, Name: "example.com"}))
	s.server, err = double.StartNameServer(t.Context(), "127.0.0.1:0")
	p.must(s.server, err)

	document, err := os.ReadFile("../../docs/route53-policy.json")
	p.must(document, err)
	policy, err := aws.ParsePolicy([]byte(strings.ReplaceAll(string(document), "Z0123456789EXAMPLE", dnsZone)))
	p.must(policy, err)
	role := aws.Key{AccessKey: "AKIALABROLLOUT", SecretKey: "rollout-key", Role: "promote-prod", Policy: policy}
	p.must(nil, double.AddKey(role))
	s.dns, err = traffic.NewDNS(t.Context(), "eu-west-1", traffic.DNSConfig{
		Zone: dnsZone, Name: dnsName, ID: "promote/checkout", TTL: dnsTTL, Poll: 100 * time.Millisecond, Log: func(line string) { t.Log(line) },
	}, awsconfig.WithBaseEndpoint(double.URL()), awsconfig.WithCredentialsProvider(sdk.NewCredentialsCache(credentials.NewStaticCredentialsProvider(role.AccessKey, role.SecretKey, ""))))
	p.must(s.dns, err)
	s.stable, s.candidate = s.balancer("checkout"), s.balancer("checkout-candidate")
	return s
}

// balancer finds the load balancer of a Service by what Kubernetes says of it.
func (s *shared) balancer(service string) traffic.Balancer {
	s.t.Helper()
	host := ""
	s.must(nil, wait.PollUntilContextTimeout(s.t.Context(), 50*time.Millisecond, time.Minute, true, func(ctx context.Context) (bool, error) {
		svc, err := s.admin.CoreV1().Services(s.namespace).Get(ctx, service, metav1.GetOptions{})
		if err == nil && len(svc.Status.LoadBalancer.Ingress) > 0 {
			host = svc.Status.LoadBalancer.Ingress[0].Hostname
		}
		return host != "", err
	}))
	var b traffic.Balancer
	// The double hears of it by a watch of its own.
	s.must(nil, wait.PollUntilContextTimeout(s.t.Context(), 50*time.Millisecond, time.Minute, true, func(ctx context.Context) (bool, error) {
		found, err := s.dns.Find(ctx, host)
		b = found
		return err == nil, nil
	}))
	return b
}

// answers asks the name server n times, and counts the addresses of the candidate.
func (s *shared) answers(n int) (candidate int) {
	s.t.Helper()
	of := func(name string) net.IP {
		query := new(dns.Msg)
		query.SetQuestion(dns.Fqdn(name), dns.TypeA)
		reply, _, err := new(dns.Client).ExchangeContext(s.t.Context(), query, s.server)
		s.must(reply, err)
		if len(reply.Answer) != 1 {
			s.t.Fatalf("%s has the answer %v", name, reply)
		}
		return reply.Answer[0].(*dns.A).A
	}
	theirs := of(s.candidate.Host)
	for range n {
		if of(dnsName).Equal(theirs) {
			candidate++
		}
	}
	return candidate
}

// TestDNSMovesTraffic shifts real traffic between two load balancers of the cluster, as a rollout does.
func TestDNSMovesTraffic(t *testing.T) {
	t.Parallel()
	s := newShared(t)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	s.must(nil, s.dns.Check(ctx, s.stable))
	change, err := s.dns.Ensure(ctx, s.stable)
	s.must(change, err)
	s.must(nil, s.dns.Settle(ctx, change))
	s.must(nil, s.dns.Healthy(ctx, s.candidate, 2))

	run, err := lab.Start(ctx, lab.Config{URL: "http://" + dnsName, Rate: 50, Scenario: lab.Get("/"), Resolver: s.server})
	s.must(run, err)
	// share is what the candidate got of the requests that left since then.
	share := func(since time.Time) (percent float64, requests int) {
		theirs := 0
		for _, r := range run.Records() {
			if r.Time.Before(since) {
				continue
			}
			requests++
			if r.Version == "b" {
				theirs++
			}
		}
		return 100 * float64(theirs) / float64(max(requests, 1)), requests
	}
	// far says whether a share is more than five standard deviations off, for so many independent answers.
	far := func(got, want, answers float64) bool {
		return math.Abs(got-want) > 5*math.Sqrt(want*(100-want)/answers)
	}
	for _, asked := range []float64{0, 10, 50, 100, 0} {
		w, err := s.dns.Shift(ctx, s.stable, s.candidate, asked)
		s.must(w, err)
		settled := time.Now()
		time.Sleep(5 * time.Second)
		percent, requests := share(settled)
		const queries = 1000
		answered := 100 * float64(s.answers(queries)) / queries
		t.Logf("%v %% asked for, %.1f %% of %d answers, %.1f %% of %d requests", asked, answered, queries, percent, requests)
		// 20 resolvers asked once a second, however many requests went by what they heard.
		if far(percent, asked, 100) || requests < 100 {
			t.Errorf("at %v %% the candidate had %.1f %% of %d requests", asked, percent, requests)
		}
		if far(answered, asked, queries) {
			t.Errorf("at %v %% the candidate had %.1f %% of the answers", asked, answered)
		}
	}

	t.Run("a rollback is over one time to live after the last name server has it", func(t *testing.T) {
		w, err := s.dns.Shift(ctx, s.stable, s.candidate, 100)
		s.must(w, err)
		began := time.Now()
		change, err := s.dns.Restore(ctx)
		s.must(change, err)
		written := time.Since(began)
		s.must(nil, s.dns.Settle(ctx, change))
		settled := time.Now()
		var last time.Time
		for _, r := range run.Records() {
			if r.Version == "b" && r.Time.After(last) {
				last = r.Time
			}
		}
		t.Logf("written after %s, last request to the candidate after %s, settled after %s", written, last.Sub(began), settled.Sub(began))
		time.Sleep(time.Second)
		if percent, requests := share(settled); percent > 0 || requests == 0 {
			t.Errorf("after it was settled the candidate had %v %% of %d requests", percent, requests)
		}
	})
	records, err := run.Stop()
	s.must(records, err)
	if summary := lab.Summarize(records); summary.Failures > 0 || summary.Requests < 1000 {
		t.Errorf("of %d requests %d failed:\n%s", summary.Requests, summary.Failures, summary)
	}

	t.Run("a candidate without pods gets no answers, even of weight", func(t *testing.T) {
		w, err := s.dns.Shift(ctx, s.stable, s.candidate, 50)
		s.must(w, err)
		if n := s.answers(200); n == 0 {
			t.Fatal("it had none before")
		}
		s.must(nil, s.cluster.Scale(ctx, "checkout-b", 0))
		s.must(nil, wait.PollUntilContextTimeout(ctx, 200*time.Millisecond, time.Minute, true, func(context.Context) (bool, error) {
			return s.answers(100) == 0, nil
		}))
	})
	t.Run("and its record goes before its Service does", func(t *testing.T) {
		change, err := s.dns.Restore(ctx)
		s.must(change, err)
		s.must(nil, s.dns.Withdraw(ctx))
		if w, err := s.dns.Weights(ctx); err != nil || w != (traffic.Weights{Stable: 100}) {
			t.Errorf("left %v, %v", w, err)
		}
	})
}
