//go:build lab

package e2e

import (
	"fmt"
	"strings"
	"testing"
)

// TestDeploysInARowLoseNoRequest deploys one commit after the other under 200 requests a second, half of them on kept
// connections. The service has no graceful end of its own but one second. `make kill-test` deploys twenty times.
func TestDeploysInARowLoseNoRequest(t *testing.T) {
	t.Parallel()
	deploys := 3
	if killEvery(t, 2) == 1 {
		deploys = 20
	}
	d := newDeployed(t, "web")
	next := func(n int) string {
		text := web(3, fmt.Sprintf("-version=%d", n)) + strings.Replace(serving("web"), "spec: {", "spec: {type: LoadBalancer, ", 1)
		return d.commitManifest(strings.Replace(text, "args: [", "args: [-graceful=1s, ", 1))
	}
	d.mustDeploy(next(0), nil)
	url, err := d.p.connect().Address(t.Context(), "web", true)
	d.must(err)
	await(t, url)
	loads := map[string]*load{"with keep-alive": startLoad(url, 100, true), "with a connection for each request": startLoad(url, 100, false)}
	for n := range deploys {
		d.mustDeploy(next(n+1), map[string]string{"drain": settle.String()})
	}
	for name, l := range loads {
		l.stop()
		for _, failure := range l.failures {
			t.Errorf("%s: %s", name, failure)
		}
		t.Logf("%s: %d answers through %d deployments", name, l.answers(), deploys)
	}
}
