//go:build lab

package e2e

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/org/promote/lab/aws"
	"github.com/org/promote/lab/balancers"
	generator "github.com/org/promote/lab/load"
	"github.com/org/promote/pkg/cluster"
)

// namedQuick is a service behind a load balancer of AWS's.
var namedQuick = strings.Replace(telling, "metadata: {name: quick}\nspec: {selector", `metadata:
  name: quick
  annotations:
    service.beta.kubernetes.io/aws-load-balancer-type: external
    service.beta.kubernetes.io/aws-load-balancer-scheme: internet-facing
    external-dns.alpha.kubernetes.io/hostname: other.example.com
spec: {type: LoadBalancer, selector`, 1)

// named is a guarded service whose clients come by a DNS name.
type named struct {
	*guarded
	owner  *route53.Client
	server string
}

// newNamed brings the baseline up, which makes the name, and sends clients to that. The job's credentials have exactly the policy of
// the documentation.
func newNamed(t *testing.T) *named {
	t.Helper()
	n := &named{guarded: &guarded{scene: newScene(t, "prod"), monitor: newMonitor(t)}}
	seen, err := balancers.Watch(t.Context(), n.p.admin, balancers.Options{Delay: time.Second})
	n.h.must(err)
	document, err := os.ReadFile("../../docs/route53-policy.json")
	n.h.must(err)
	policy, err := aws.ParsePolicy([]byte(strings.ReplaceAll(string(document), "Z0123456789EXAMPLE", dnsZone)))
	n.h.must(err)
	double, err := aws.Start(t.Context(), aws.Options{AccessKey: "AKIALABOWNER", SecretKey: "owner-key", Propagation: dnsDelay, AliasTTL: dnsTTL})
	n.h.must(err)
	t.Cleanup(func() { _ = double.Close() })
	n.h.must(double.AddKey(aws.Key{AccessKey: accessKey, SecretKey: secretKey, Role: "promote-prod", Policy: policy}))
	double.SetBalancers(seen.List)
	n.h.must(double.PutHostedZone(aws.HostedZone{ID: dnsZone, Name: "example.com"}))
	n.server, err = double.StartNameServer(t.Context(), "127.0.0.1:0")
	n.h.must(err)
	n.h.aws = double
	loaded, err := awsconfig.LoadDefaultConfig(t.Context(), awsconfig.WithRegion("eu-west-1"), awsconfig.WithBaseEndpoint(double.URL()),
		awsconfig.WithCredentialsProvider(credentials.NewStaticCredentialsProvider("AKIALABOWNER", "owner-key", "")))
	n.h.must(err)
	n.owner = route53.NewFromConfig(loaded)

	n.h.commit("main", map[string]string{"deploy/quick.yaml": namedQuick})
	n.allowWatchdog()
	base := n.h.run("canary", n.merged("base").event, n.inputs(n.answers(nil)), n.runner())
	if base.outputs["result"] != "promoted" {
		t.Fatalf("the baseline was not brought up:\n%s", base.output)
	}
	n.baseline = base.outputs["release"]
	n.monitor.baseline.Store(&n.baseline)
	if n.records() != "promote/quick/stable=100" {
		t.Fatalf("the name has the records %s\n%s", n.records(), base.output)
	}
	n.load, err = generator.Start(t.Context(), generator.Config{URL: "http://" + dnsName, Rate: 50, Scenario: generator.Get("/"), Resolver: n.server})
	n.h.must(err)
	return n
}

func (n *named) answers(more map[string]string) map[string]string {
	all := n.more(map[string]string{"traffic": "route53", "hosted-zone-id": dnsZone, "dns-name": dnsName, "dns-ttl": dnsTTL.String(), "steps": "50,100"})
	for key, value := range more {
		all[key] = value
	}
	return all
}

// records are the records of the name, as set identifier=weight.
func (n *named) records() string {
	n.t.Helper()
	out, err := n.owner.ListResourceRecordSets(context.Background(), &route53.ListResourceRecordSetsInput{HostedZoneId: sdk.String(dnsZone)})
	n.h.must(err)
	var all []string
	for _, r := range out.ResourceRecordSets {
		if strings.TrimSuffix(sdk.ToString(r.Name), ".") == dnsName {
			all = append(all, fmt.Sprintf("%s=%d", sdk.ToString(r.SetIdentifier), sdk.ToInt64(r.Weight)))
		}
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

// wantOneBalancer wants the name to lead to the Service's own load balancer alone, and no other to be left.
func (n *named) wantOneBalancer() {
	n.t.Helper()
	if got := n.records(); got != "promote/quick/stable=100" {
		n.t.Errorf("the name has the records %s", got)
	}
	if _, err := n.p.admin.CoreV1().Services(n.p.namespace).Get(context.Background(), "quick-candidate", metav1.GetOptions{}); !cluster.IsNotFound(err) {
		n.t.Errorf("the candidate's own Service is there: %v", err)
	}
}

// TestACanaryByDNS makes a name, shares its answers between two load balancers, and leads it back to the first with the new release
// behind it. No client notices.
func TestACanaryByDNS(t *testing.T) {
	t.Parallel()
	n := newNamed(t)
	n.monitor.enough.Store(true)
	req := n.merged("next")
	r := n.start("canary", req.event, n.answers(nil))
	r.await("the answers are shared", func() bool { return strings.Contains(n.records(), "promote/quick/candidate") })
	if got := n.records(); got != "promote/quick/candidate=50 promote/quick/stable=50" {
		t.Errorf("half and half are %s", got)
	}
	own, err := n.p.admin.CoreV1().Services(n.p.namespace).Get(t.Context(), "quick-candidate", metav1.GetOptions{})
	n.h.must(err)
	if _, copied := own.Annotations["external-dns.alpha.kubernetes.io/hostname"]; copied {
		t.Error("the candidate's load balancer claims a name of the Service's")
	}
	if res := r.end(); res.outputs["result"] != "promoted" {
		t.Errorf("it ended with %d, %v\n%s", res.code, res.outputs, res.output)
	}
	n.wantOneBalancer()
	records, err := n.load.Stop()
	n.h.must(err)
	for _, record := range records {
		if record.Failed() {
			t.Errorf("a request failed: %+v", record)
		}
	}
	if last := records[len(records)-1]; !strings.HasPrefix(last.Version, req.head) {
		t.Errorf("the last request was answered by %s", last.Version)
	}
}

// TestADeadCanaryByDNS kills a canary whose name leads to two load balancers. The watchdog has no right in AWS, and no client meets the
// candidate all the same; the records and the second load balancer wait for a run that recovers.
func TestADeadCanaryByDNS(t *testing.T) {
	t.Parallel()
	n := newNamed(t)
	req := n.merged("next")
	before := n.begin()
	r := n.start("canary", req.event, n.answers(nil))
	r.await("the answers are shared", func() bool { return strings.Contains(n.records(), "promote/quick/candidate") })
	n.await("a client meets the candidate", func() bool {
		all := n.load.Records()
		return len(all) > 0 && strings.HasPrefix(all[len(all)-1].Version, req.head)
	})
	killed := time.Now()
	n.h.must(r.cmd.Process.Kill())
	<-r.ended
	n.await("the candidate is gone", func() bool { return n.wanted() == 0 })
	n.await("the watchdog has ended", func() bool { dogs := n.dogs(); return len(dogs) == 1 && dogs[0].Status.Succeeded == 1 })
	if !strings.Contains(n.records(), "promote/quick/candidate") {
		t.Errorf("who moved the records? They are %s", n.records())
	}
	if res := n.h.run("canary", req.event, n.inputs(map[string]string{"mode": "recover", "drain": "2s", "dns-ttl": dnsTTL.String()}), n.runner()); res.outputs["result"] != "recovered" {
		t.Errorf("recovering ended with %d, %v\n%s", res.code, res.outputs, res.output)
	}
	n.wantGone(before)
	n.wantOneBalancer()
	n.wantSafe(req, killed, cluster.LockTime+reaction)
}
