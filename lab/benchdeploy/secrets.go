package main

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// secretCount is how many secrets are looked up, and callCount in how many calls at most: AWS takes 20 at a time.
const (
	secretCount = 200
	callCount   = secretCount / 20
)

// measureSecrets counts the calls to AWS of a run whose templates use 200 secrets.
func measureSecrets(ctx context.Context, w *world) error {
	at, err := w.newNamespace(ctx, "")
	if err != nil {
		return err
	}
	var data strings.Builder
	for i := range secretCount {
		id := fmt.Sprintf("bench/many-%03d", i)
		if _, err := w.hub.aws.PutSecret(id, fmt.Sprintf("value-%03d-%s", i, random())); err != nil {
			return err
		}
		fmt.Fprintf(&data, "  key-%03d: {{ secret %q }}\n", i, id)
	}
	text := "apiVersion: v1\nkind: Secret\nmetadata: {name: many}\nstringData:\n" + data.String() + "---\n" + workload("{{ .Image }}", "v1", 1, "")
	if err := w.hub.commit(ctx, text); err != nil {
		return err
	}
	before := len(w.hub.aws.Requests())
	out, err := w.runAction(ctx, at, at.direct, map[string]string{"dry-run": "true"})
	if err != nil {
		return err
	}
	if out.failed {
		return fmt.Errorf("running promote: it failed:\n%s", out.output)
	}
	calls := w.hub.aws.Requests()[before:]
	if len(calls) == 0 {
		return fmt.Errorf("running promote: it asked AWS for nothing")
	}
	w.table.add(row{
		what: fmt.Sprintf("%d secrets", secretCount), unit: "calls", values: [3]float64{float64(len(calls)), missing, missing},
		goals: []goal{within(float64(len(calls)), callCount, "calls")},
		note:  fmt.Sprintf("the run: %s", out.took.Round(time.Millisecond)),
	})
	return nil
}
