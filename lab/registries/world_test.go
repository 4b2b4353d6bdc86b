package registries

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/org/promote/lab/aws"
)

const (
	commit = "0123456789abcdef0123456789abcdef01234567"
	tree   = "tree-89abcdef0123456789abcdef0123456789abcdef-0123456789abcdef"
)

// amazon is the one double of the process: a program reads where its proxy is once.
var amazon struct {
	*aws.Server
	ecr *aws.ECR
}

func TestMain(m *testing.M) {
	log.SetOutput(io.Discard) // distribution's
	code, err := testMain(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func testMain(m *testing.M) (int, error) {
	folder, err := os.MkdirTemp("", "registries-")
	if err != nil {
		return 0, err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	if amazon.Server, err = aws.Start(context.Background(), aws.Options{AccessKey: "AKIALAB", SecretKey: "lab-secret-key"}); err != nil {
		return 0, err
	}
	if amazon.ecr, err = amazon.StartECR(context.Background()); err != nil {
		return 0, err
	}
	if err := os.WriteFile(filepath.Join(folder, "ca.pem"), amazon.ecr.CA, 0o600); err != nil {
		return 0, err
	}
	for name, value := range map[string]string{
		"HTTPS_PROXY": amazon.ecr.Proxy, "SSL_CERT_FILE": filepath.Join(folder, "ca.pem"), "SSL_CERT_DIR": folder, "AWS_CA_BUNDLE": filepath.Join(folder, "ca.pem"), "NO_PROXY": "",
		"AWS_ACCESS_KEY_ID": "AKIALAB", "AWS_SECRET_ACCESS_KEY": "lab-secret-key", "AWS_EC2_METADATA_DISABLED": "true",
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull, "DOCKER_CONFIG": folder, "HOME": folder,
	} {
		if err := os.Setenv(name, value); err != nil {
			return 0, err
		}
	}
	code := m.Run()
	if err := amazon.ecr.Close(); err != nil {
		return 0, err
	}
	return code, amazon.Close()
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// repository makes a repository with the setting that promote wants. Each region has a login of its own in the process, so a
// test about logins takes a region that no other test has.
func repository(t *testing.T, region string) string {
	t.Helper()
	name := strings.ToLower(strings.NewReplacer("/", "-", "_", "-", ",", "", "'", "").Replace(t.Name()))
	if len(name) > 100 {
		name = name[:100]
	}
	full, err := amazon.CreateRepository(region, "team/"+strings.Trim(name, "-"))
	check(t, err)
	mutability(t, full, aws.ImmutableWithExclusion, "test", "sha256-*", "buildcache")
	return full
}

// place takes a repository's name apart.
func place(full string) (region, name string) {
	host, name, _ := strings.Cut(full, "/")
	return strings.Split(host, ".")[3], name
}

func mutability(t *testing.T, full, setting string, filters ...string) {
	t.Helper()
	region, name := place(full)
	check(t, amazon.PutImageTagMutability(region, name, setting, filters...))
}

// asked counts the requests of one operation.
func asked(operation string) int {
	n := 0
	for _, r := range amazon.Requests() {
		if r.Operation == operation {
			n++
		}
	}
	return n
}

// newLayout is an OCI layout with an image of three layers, and its digest.
func newLayout(t *testing.T) (dir, digest string) {
	t.Helper()
	img, err := random.Image(64<<10, 3)
	check(t, err)
	dir = filepath.Join(t.TempDir(), "layout")
	path, err := layout.Write(dir, empty.Index)
	check(t, err)
	check(t, path.AppendImage(img))
	hash, err := img.Digest()
	check(t, err)
	return dir, hash.String()
}

// as makes the process run with another key.
func as(t *testing.T, k aws.Key) {
	t.Helper()
	if k.AccessKey != "" {
		check(t, amazon.AddKey(k))
	}
	t.Setenv("AWS_ACCESS_KEY_ID", k.AccessKey)
	t.Setenv("AWS_SECRET_ACCESS_KEY", k.SecretKey)
}
