package main

import (
	"fmt"
	"strings"
)

// secretID is the secret's name in AWS, secretValue what it holds.
const (
	secretID    = "bench/password"
	secretValue = "correct-horse-battery-staple"
)

// words are what differs between contenders in the text of the same objects: promote's are template actions.
type words struct{ image, password string }

// serviceObjects is a typical service: four pods behind a Service, with a ConfigMap and a Secret. The version is in the
// arguments and in the configuration.
func serviceObjects(w words, version string) string {
	return fmt.Sprintf(`apiVersion: v1
kind: ConfigMap
metadata: {name: web}
data: {ECHO_GREETING: "hello", ECHO_VERSION: %[3]q}
---
apiVersion: v1
kind: Secret
metadata: {name: web}
stringData: {PASSWORD: %[2]s}
`, w.image, w.password, version) + "---\n" + workload(w.image, version, 4, `
          envFrom: [{configMapRef: {name: web}}, {secretRef: {name: web}}]`)
}

// manyObjects is so many small ConfigMaps, with the least that serves.
func manyObjects(w words, version string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: item-%03d}\ndata: {number: %q, version: %q}\n---\n", i, fmt.Sprint(i), version)
	}
	return b.String() + workload(w.image, version, 1, "")
}

// brokenObjects has a second container whose image was never pushed.
func brokenObjects(w words, version, missing string) string {
	return workload(w.image, version, 1, fmt.Sprintf(`
        - name: helper
          image: %q`, missing))
}

// workload is a Deployment and its Service; more goes on with the container.
func workload(image, version string, replicas int, more string) string {
	return fmt.Sprintf(`apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: %[3]d
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 5
      containers:
        - name: web
          image: %[1]q
          args: ["-version=%[2]s"]
          ports: [{containerPort: 8080}]
          readinessProbe: {httpGet: {path: /ready, port: 8080}, periodSeconds: 1}%[4]s
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: 8080}]}
`, image, version, replicas, more)
}
