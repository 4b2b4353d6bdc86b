package main

import (
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/org/promote/pkg/gha"
	"github.com/org/promote/pkg/job"
	"github.com/org/promote/pkg/metrics"
	"github.com/org/promote/pkg/regular"
)

// The monitors.
const (
	prometheus = "prometheus"
	datadog    = "datadog"
	newRelic   = "newrelic"
	cloudWatch = "cloudwatch"
	pods       = "pods"
)

// sigV4 is the one value of the input monitor-auth.
const sigV4 = "sigv4"

// monitorInputs are the inputs about the monitor, and which of them each monitor takes.
var monitorInputs = map[string][]string{
	prometheus: {"monitor-url", "monitor-auth", "monitor-user", "monitor-token", "monitor-ca", "monitor-cert", "monitor-key"},
	datadog:    {"monitor-url", "monitor-site", "monitor-token", "monitor-app-key"},
	newRelic:   {"monitor-url", "monitor-site", "monitor-token", "monitor-account"},
	cloudWatch: {},
	pods:       {},
}

// intervals are how often a monitor is asked where the input does not say it: every second where an answer is a second old, and
// else as often as there is something new and its limits allow (Datadog's are the narrowest, by its older documents 1600 queries an hour).
var intervals = map[string]time.Duration{
	prometheus: time.Second, pods: time.Second, newRelic: 10 * time.Second, datadog: 15 * time.Second, cloudWatch: 30 * time.Second,
}

// amazonHost is a workspace of Amazon Managed Service for Prometheus, also behind an endpoint of one's own VPC.
var amazonHost = regexp.MustCompile(`(?:^|\.)aps-workspaces\.([a-z0-9-]+)\.(?:vpce\.)?amazonaws\.com(?:\.cn)?$`)

// monitor is who is asked, as the inputs say it.
type monitor struct {
	kind, url, site   string
	account           int
	user, token, more string
	tls               metrics.TLSConfig
	// sign asks for a signature of AWS's, in region; empty is that of the AWS configuration.
	sign   bool
	region string
}

// readMonitor reads and checks the inputs about the monitor. runners is the runner's PROMETHEUS_URL.
func readMonitor(a *gha.Action, in *gha.Inputs, workspace, runners string) monitor {
	given := map[string]string{
		"monitor-token": in.String("monitor-token", ""), "monitor-app-key": in.String("monitor-app-key", ""), "monitor-key": in.String("monitor-key", ""),
	}
	for _, secret := range given {
		if secret != "" {
			a.Mask(secret)
		}
	}
	given["monitor-url"], given["monitor-site"], given["monitor-user"] = in.String("monitor-url", ""), in.String("monitor-site", ""), in.String("monitor-user", "")
	given["monitor-account"], given["monitor-auth"] = in.String("monitor-account", ""), in.OneOf("monitor-auth", "", sigV4)
	given["monitor-ca"], given["monitor-cert"] = in.String("monitor-ca", ""), in.String("monitor-cert", "")
	if u, err := url.Parse(given["monitor-url"]); err == nil && u.User != nil {
		if password, ok := u.User.Password(); ok {
			a.Mask(password)
		}
	}
	m := monitor{
		kind: in.OneOf("monitor", prometheus, prometheus, datadog, newRelic, cloudWatch, pods), region: in.String("aws-region", ""),
		url: given["monitor-url"], site: given["monitor-site"], user: given["monitor-user"], token: given["monitor-token"], more: given["monitor-app-key"],
	}
	takes := monitorInputs[m.kind]
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if given[name] != "" && !slices.Contains(takes, name) {
			in.Problem(name, "is not for `monitor: %s`; leave it out%s", m.kind, others(takes))
		}
	}
	switch m.kind {
	case prometheus:
		m.readPrometheus(a, in, given, workspace, runners)
	case datadog:
		m.checkDatadog(in)
	case newRelic:
		m.checkNewRelic(in, given["monitor-account"])
	}
	return m
}

// others names what a monitor takes.
func others(takes []string) string {
	if len(takes) == 0 {
		return ", it takes none of the inputs monitor-…"
	}
	return ", it takes " + strings.Join(takes, ", ")
}

func (m *monitor) readPrometheus(a *gha.Action, in *gha.Inputs, given map[string]string, workspace, runners string) {
	if m.url == "" {
		m.url = runners
	}
	if _, err := metrics.NewPrometheus(metrics.PrometheusConfig{URL: m.url}); err != nil {
		in.Problem("monitor-url", "does not name a Prometheus as the runner reaches it, for instance http://prometheus.monitoring:9090 (its default is the runner's PROMETHEUS_URL): %v", err)
	}
	if m.user != "" && m.token == "" {
		in.Problem("monitor-user", "has no password; pass it as `monitor-token: ${{ secrets.… }}`")
	}
	if u, err := url.Parse(m.url); err == nil {
		if host := amazonHost.FindStringSubmatch(u.Hostname()); host != nil {
			m.sign, m.region = true, host[1]
		}
	}
	m.sign = m.sign || given["monitor-auth"] == sigV4
	if m.sign && (m.token != "" || m.user != "") {
		in.Problem("monitor-token", "and `monitor-user` have no place beside a signature of AWS (input `monitor-auth`, or a URL of Amazon's); leave them out")
	}
	pem := func(name string) []byte { return readPEM(a, in, name, given[name], workspace) }
	m.tls = metrics.TLSConfig{CA: pem("monitor-ca"), Cert: pem("monitor-cert"), Key: pem("monitor-key")}
	const anywhere = "https://prometheus.example.com"
	if _, err := metrics.NewPrometheus(metrics.PrometheusConfig{URL: anywhere, TLS: metrics.TLSConfig{CA: m.tls.CA}}); err != nil {
		in.Problem("monitor-ca", "is no certificate authority: give PEM text, or the path of a PEM file: %v", err)
	}
	if _, err := metrics.NewPrometheus(metrics.PrometheusConfig{URL: anywhere, TLS: metrics.TLSConfig{Cert: m.tls.Cert, Key: m.tls.Key}}); err != nil {
		in.Problem("monitor-cert", "and `monitor-key` are no certificate and its key: give PEM texts, or paths of PEM files: %v", err)
	}
}

// readPEM gives PEM text, or what is in the file of that path. Of a key each line is a secret.
func readPEM(a *gha.Action, in *gha.Inputs, name, value, workspace string) []byte {
	if value == "" || strings.HasPrefix(value, "-----BEGIN ") {
		return []byte(value)
	}
	data, err := regular.Read(job.Below(workspace, value), 1<<20)
	if err != nil {
		in.Problem(name, "is neither PEM text nor the path of a file that can be read")
		return nil
	}
	if name == "monitor-key" {
		a.Mask(string(data))
	}
	return data
}

func (m *monitor) checkDatadog(in *gha.Inputs) {
	if m.token == "" {
		in.Problem("monitor-token", "is required for datadog: pass the API key, `monitor-token: ${{ secrets.… }}`")
	}
	if m.more == "" {
		in.Problem("monitor-app-key", "is required for datadog: pass an application key with the scope timeseries_query, `monitor-app-key: ${{ secrets.… }}`")
	}
	if _, err := metrics.NewDatadog(metrics.DatadogConfig{Site: m.site, APIKey: "x", AppKey: "x"}); err != nil {
		in.Problem("monitor-site", "is wrong: %v", err)
	}
	if _, err := metrics.NewDatadog(metrics.DatadogConfig{URL: m.url, APIKey: "x", AppKey: "x"}); err != nil {
		in.Problem("monitor-url", "is wrong; leave it out for Datadog's own: %v", err)
	}
}

func (m *monitor) checkNewRelic(in *gha.Inputs, account string) {
	if m.token == "" {
		in.Problem("monitor-token", "is required for newrelic: pass a user key, `monitor-token: ${{ secrets.… }}`")
	}
	var err error
	if m.account, err = strconv.Atoi(account); err != nil || m.account <= 0 {
		in.Problem("monitor-account", "is %q; give the number of the New Relic account", account)
	}
	if _, err := metrics.NewNewRelic(metrics.NewRelicConfig{Region: m.site, Account: 1, Key: "x"}); err != nil {
		in.Problem("monitor-site", "is wrong: %v", err)
	}
	if _, err := metrics.NewNewRelic(metrics.NewRelicConfig{URL: m.url, Account: 1, Key: "x"}); err != nil {
		in.Problem("monitor-url", "is wrong; leave it out for New Relic's own: %v", err)
	}
}
