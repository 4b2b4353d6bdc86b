//go:build lab

package e2e

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/org/promote/lab/aws"
	"github.com/org/promote/lab/github"
)

// amazon is Amazon's registry as a runner meets it: by its real names over TLS, with AWS's own credentials and a docker
// configuration that belongs to somebody else.
type amazon struct {
	*hub
	ecr *aws.ECR
	ca  string
	// home, docker and scratch are the runner's HOME, DOCKER_CONFIG and TMPDIR.
	home, docker, scratch string
}

const (
	amazonRegion = "eu-central-1"
	// othersLogin is what stands in the docker configuration before.
	othersLogin = `{"auths":{"registry.example":{"auth":"b3RoZXI6bG9naW4="}}}`
)

func newAmazon(t *testing.T) *amazon {
	t.Helper()
	a := &amazon{hub: newHub(t), ca: filepath.Join(t.TempDir(), "ca.pem"), home: t.TempDir(), docker: t.TempDir(), scratch: t.TempDir()}
	var err error
	a.ecr, err = a.aws.StartECR(t.Context())
	a.must(err)
	t.Cleanup(func() { _ = a.ecr.Close() })
	a.must(os.WriteFile(a.ca, a.ecr.CA, 0o600), os.WriteFile(filepath.Join(a.docker, "config.json"), []byte(othersLogin), 0o600))
	a.commit("main", map[string]string{"app.txt": "main\n"})
	return a
}

// in is Amazon for a subtest: what fails there fails the subtest.
func (a *amazon) in(t *testing.T) *amazon {
	sub, h := *a, *a.hub
	h.t = t
	sub.hub = &h
	return &sub
}

// repository makes one with a setting of its tags.
func (a *amazon) repository(short, setting string, filters ...string) string {
	a.t.Helper()
	full, err := a.aws.CreateRepository(amazonRegion, "team/"+short)
	a.must(err, a.aws.PutImageTagMutability(amazonRegion, "team/"+short, setting, filters...))
	return full
}

// change is a pull request with other content than every other one.
func (a *amazon) change(branch string) (head string, event github.Event) {
	a.t.Helper()
	_, head, event = a.pull(branch, map[string]string{"app.txt": branch + "\n"})
	return head, event
}

// build runs the action on what is checked out; env comes last and so wins.
func (a *amazon) build(repository string, event github.Event, env ...string) result {
	a.t.Helper()
	return a.run("build", event, map[string]string{"image": repository, "builder": "files", "files": "app.txt:/app", "entrypoint": "/app"}, append([]string{
		"HTTPS_PROXY=" + a.ecr.Proxy, "SSL_CERT_FILE=" + a.ca, "SSL_CERT_DIR=" + filepath.Dir(a.ca), "AWS_CA_BUNDLE=" + a.ca,
		"AWS_ENDPOINT_URL=", "AWS_REGION=" + amazonRegion, "AWS_EC2_METADATA_DISABLED=true",
		"HOME=" + a.home, "DOCKER_CONFIG=" + a.docker, "TMPDIR=" + a.scratch,
	}, env...)...)
}

// holds gives the digest that a tag holds in Amazon's registry, "" for none.
func (a *amazon) holds(repository, tag string) string {
	a.t.Helper()
	client := ecr.New(ecr.Options{
		Region: amazonRegion, BaseEndpoint: sdk.String(a.aws.URL()), Credentials: credentials.NewStaticCredentialsProvider(accessKey, secretKey, ""),
	})
	out, err := client.GetAuthorizationToken(a.t.Context(), &ecr.GetAuthorizationTokenInput{})
	a.must(err)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(a.ecr.CA)
	proxy, err := url.Parse(a.ecr.Proxy)
	a.must(err)
	transport := &http.Transport{Proxy: http.ProxyURL(proxy), TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}
	defer transport.CloseIdleConnections()
	ref, err := name.NewTag(repository + ":" + tag)
	a.must(err)
	got, err := remote.Head(ref, remote.WithTransport(transport), remote.WithAuth(authn.FromConfig(authn.AuthConfig{Auth: *out.AuthorizationData[0].AuthorizationToken})))
	if err != nil {
		return ""
	}
	return got.Digest.String()
}

// asked counts the requests of one operation.
func (a *amazon) asked(operation string) int {
	n := 0
	for _, r := range a.aws.Requests() {
		if r.Operation == operation {
			n++
		}
	}
	return n
}

// left are all files that the runner has afterwards, by name and text.
func (a *amazon) left() map[string]string {
	a.t.Helper()
	files := map[string]string{}
	for where, dir := range map[string]string{"HOME": a.home, "DOCKER_CONFIG": a.docker, "TMPDIR": a.scratch} {
		a.must(filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || path == dir {
				return err
			}
			data := []byte("a folder")
			if !entry.IsDir() {
				data, err = os.ReadFile(path)
			}
			files[where+strings.TrimPrefix(path, dir)] = string(data)
			return err
		}))
	}
	return files
}

// shown are the annotations of a kind, as a person reads them.
func shown(kind, log string) []string {
	var found []string
	for _, line := range regexp.MustCompile(`(?m)^::`+kind+`::(.*)$`).FindAllStringSubmatch(log, -1) {
		found = append(found, strings.NewReplacer("%0A", "\n", "%0D", "\r", "%25", "%").Replace(line[1]))
	}
	return found
}

// aboutSettings are the warnings of the preflight.
func aboutSettings(res result) []string {
	return slices.DeleteFunc(shown("warning", res.output), func(w string) bool { return !strings.HasPrefix(w, "repository ") })
}

// settingCommand is the command that a person is told to run, in what they are told.
func settingCommand(verb, repository string, filters ...string) string {
	_, short, _ := strings.Cut(repository, "/")
	command := fmt.Sprintf("aws ecr %s --region %s --registry-id 000000000000 --repository-name %s --image-tag-mutability IMMUTABLE_WITH_EXCLUSION --image-tag-mutability-exclusion-filters", verb, amazonRegion, short)
	for _, filter := range filters {
		command += " 'filterType=WILDCARD,filter=" + filter + "'"
	}
	return command
}

// wantSetting wants the run to have failed before anything was built, its errors and its summary to say why and what to do, and
// the commit's status to be a failure.
func (a *amazon) wantSetting(res result, head string, says ...string) {
	a.t.Helper()
	errors := strings.Join(shown("error", res.output), "\n")
	if res.code != 1 || strings.Contains(res.output, "::group::Build") {
		a.t.Errorf("exit code %d, want 1 and nothing built:\n%s", res.code, res.output)
	}
	for _, text := range says {
		if strings.Count(errors, text) != 1 {
			a.t.Errorf("the errors do not say once %s:\n%s", text, errors)
		}
		if !strings.Contains(readable(res.summary), text) {
			a.t.Errorf("the summary does not say %s:\n%s", text, res.summary)
		}
	}
	for line := range strings.Lines(errors) {
		if command := strings.TrimSpace(line); strings.HasPrefix(command, "aws ") && !slices.Contains(says, command) {
			a.t.Errorf("the command cannot be copied as it is: %s", command)
		}
	}
	if got := a.buildStatus(head); !strings.HasPrefix(got, "failure ") {
		a.t.Errorf("the commit's status is %q", got)
	}
}

// readable is Markdown as a person reads it.
func readable(markdown string) string {
	return regexp.MustCompile(`\\([^a-zA-Z0-9\s])`).ReplaceAllString(strings.ReplaceAll(markdown, "\u200d", ""), "$1")
}
