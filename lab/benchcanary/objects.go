package main

import (
	"fmt"
	"time"
)

// What is the same for all. The bound is what the README of the action canary shows.
const (
	replicas = 8
	bound    = 0.01
	// step is the first share of the traffic, in percent.
	step = 25
	// interval is the time between two looks of the peers. Flagger takes no shorter one.
	interval = 10 * time.Second
)

// pod is the spec of the service's pods. A version that can fail does so while the fault is on.
func (n *namespace) pod(image, version string, canFail string) string {
	return fmt.Sprintf(`
      terminationGracePeriodSeconds: 10
      containers:
        - name: web
          image: %[1]q
          args: ["-version=%[2]s", "-fail=%[3]s", "-fail-while=/fault/%[4]s", "-graceful=%[5]s"]
          ports: [{name: http, containerPort: 8080}]
          readinessProbe: {httpGet: {path: /ready, port: 8080}, periodSeconds: 1}
          volumeMounts: [{name: fault, mountPath: /fault, readOnly: true}]
      volumes: [{name: fault, hostPath: {path: %[6]q, type: Directory}}]
`, image, version, canFail, faultFile, n.graceful, n.fault)
}

// scraped are the annotations by which the monitor finds pods.
const scraped = `{prometheus.io/scrape: "true", prometheus.io/port: "8080"}`

// half of the answers fail; never is the baseline's.
const (
	half  = "2"
	never = "0"
)

// query is the share of a peer's pods' answers that were bad in the latest interval.
func (n *namespace) query(pods string) string {
	answers := func(more string) string {
		return fmt.Sprintf(`sum(increase(answers_total{namespace=%q,pod=~%q%s}[%ds]))`, n.name, pods, more, int(interval.Seconds()))
	}
	return answers(`,code=~"5.."`) + " / " + answers("")
}
