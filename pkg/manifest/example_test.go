package manifest_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/org/promote/pkg/manifest"
	"github.com/org/promote/pkg/secrets"
)

// A template becomes the objects of one release; the secret's value is in the Secret alone, and in no text on the way there.
func Example() {
	files := []manifest.File{{Name: "deploy/app.yaml", Data: []byte(`
apiVersion: v1
kind: Secret
metadata:
  name: {{ .Service }}
stringData:
  url: "postgres://app:{{ secret "checkout/db" "password" | urlquery }}@db/app"
`)}}
	rendered, err := manifest.Render(files, manifest.Input{Service: "checkout"})
	if err != nil {
		fmt.Println(err)
		return
	}
	store := secrets.Static{{Kind: secrets.Secret, ID: "checkout/db", Key: "password"}: "p@ss:word"}
	values, err := store.Resolve(context.Background(), rendered.Refs())
	if err != nil {
		fmt.Println(err)
		return
	}
	objects, err := rendered.Fill(values)
	if err != nil {
		fmt.Println(err)
		return
	}
	release := manifest.ReleaseID("89abcdef01234567", rendered.Hash(values))
	out, err := manifest.Version(objects, manifest.VersionRequest{
		Service: "checkout", Environment: "test", Namespace: "test", Release: release, Commit: "89abcdef01234567",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(rendered.Refs())
	fmt.Println(strings.HasPrefix(out.Versioned[0].GetName(), "checkout-89abcde-"))
	// Output:
	// [secret checkout/db#password]
	// true
}
