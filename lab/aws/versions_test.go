package aws

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/org/promote/pkg/secrets"
)

// TestARollbackReadsTheVersionsOfItsRelease resolves as a rollback does, while values have moved on.
func TestARollbackReadsTheVersionsOfItsRelease(t *testing.T) {
	now := time.Now()
	w := newWorld(t, Options{Clock: func() time.Time { return now }})
	w.config("eu-central-1", root) // for the environment it sets
	store, err := secrets.NewAWS(t.Context(), "eu-central-1", config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider(root.AccessKey, root.SecretKey, "")))
	check(t, err)
	db, limit := secrets.Ref{Kind: secrets.Secret, ID: "prod/db"}, secrets.Ref{Kind: secrets.Param, ID: "/prod/limit"}
	put := func(value string) {
		now = now.Add(time.Second)
		_, err := w.server.PutSecret(db.ID, value)
		check(t, err)
		_, err = w.server.PutParameter(limit.ID, value, String)
		check(t, err)
	}
	put("one")
	first, err := store.Resolve(t.Context(), []secrets.Ref{db, limit})
	check(t, err)
	versions := map[secrets.Ref]string{db: first[db].Version, limit: first[limit].Version}

	put("two")
	again, err := store.ResolveAt(t.Context(), versions)
	check(t, err)
	for _, ref := range []secrets.Ref{db, limit} {
		if got := string(again[ref].Data); got != "one" {
			t.Errorf("%s is %q after a second value was stored, want the first", ref, got)
		}
	}

	put("three") // Nothing keeps the first version of the secret any more.
	_, err = store.ResolveAt(t.Context(), versions)
	if err == nil || !strings.Contains(err.Error(), `secret "prod/db": its version "`+versions[db]+`" is gone`) || strings.Contains(err.Error(), "limit") {
		t.Errorf("got %v, want that the secret's version alone is gone", err)
	}
}
